import { crc64Module } from './crc64-module.ts'

// The part of WebAssembly that is used. Node has no types for it.
interface Engine {
  readonly memory: { readonly buffer: ArrayBuffer }
  update(state: bigint, address: number, length: number): bigint
}
interface WebAssemblyInterface {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object) => { readonly exports: unknown }
}

/** The address of the data, after the sixteen tables of 256 entries, and how much data fits, in bytes. */
const dataAt = 32_768
const capacity = 4 * 65_536 - dataAt
const polynomial = 0xd800_0000_0000_0000n

let engine: Engine | undefined
let memory: Uint8Array

/**
 * A running CRC-64/GO-ISO: reflected, polynomial 0xD800000000000000, all-ones initial value and final xor.
 *
 * Go's `hash/crc64` computes the same with `crc64.ISO`. LTX checksums are made of it.
 */
export class Crc64 {
  #state = -1n

  /** Adds data. */
  update(data: Uint8Array): this {
    engine ??= start()
    for (let from = 0; from < data.length; from += capacity) {
      const piece = data.length <= capacity ? data : data.subarray(from, from + capacity)
      memory.set(piece, dataAt)
      this.#state = engine.update(this.#state, dataAt, piece.length)
    }
    return this
  }

  /** The CRC of the data so far, an unsigned 64-bit integer. */
  get value(): bigint {
    return BigInt.asUintN(64, ~this.#state)
  }
}

/** The CRC-64/GO-ISO of the data, an unsigned 64-bit integer. */
export function crc64(data: Uint8Array): bigint {
  return new Crc64().update(data).value
}

function start(): Engine {
  const { Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyInterface })
    .WebAssembly
  const started = new Instance(new Module(crc64Module(4))).exports as Engine
  fillTables(new DataView(started.memory.buffer))
  memory = new Uint8Array(started.memory.buffer)
  return started
}

function fillTables(view: DataView): void {
  for (let byte = 0; byte < 256; byte++) {
    let crc = BigInt(byte)
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n
    view.setBigUint64(byte * 8, crc, true)
  }
  for (let at = 2048; at < dataAt; at += 8) {
    const before = view.getBigUint64(at - 2048, true)
    const next = view.getBigUint64(Number(before & 0xffn) * 8, true)
    view.setBigUint64(at, (before >> 8n) ^ next, true)
  }
}
