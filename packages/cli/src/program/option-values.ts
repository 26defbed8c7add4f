import { InvalidArgumentError } from 'commander'

export function nonEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('It is empty.')
  return text
}

export function setting(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const match = /^([A-Za-z_][\w.$]*)=(.*)$/su.exec(text)
  if (match === null) throw new InvalidArgumentError('Write it as NAME=VALUE.')
  const [, name = '', value = ''] = match
  return { ...before, [name]: value }
}

export function port(text: string): boolean | number {
  if (text === '') return true
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < 1 || number > 65_535) {
    throw new InvalidArgumentError('It is not a port: 1 to 65535.')
  }
  return number
}

/** In ms. */
export function seconds(text: string): number {
  if (!/^\d{1,9}(?:\.\d+)?$/.test(text))
    throw new InvalidArgumentError('It is not a number of seconds.')
  return Number(text) * 1000
}

/** Reads the duration of a lease, in ms. It is at most 30 s, since a lease is renewed while it is held. */
export function ttl(text: string): number {
  const duration = seconds(text)
  if (duration === 0 || duration > 30_000)
    throw new InvalidArgumentError('It is more than 0 and at most 30; it is renewed meanwhile.')
  return duration
}

export function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is not a number of lines.')
  return Number(text)
}

export function ordinal(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError('It is not a number from 1 on.')
  return Number(text)
}

export function transaction(text: string): bigint {
  if (!/^\d{1,20}$/.test(text)) throw new InvalidArgumentError('It is not a transaction id.')
  return BigInt(text)
}

export function txid(text: string): bigint {
  if (!/^[0-9a-f]{16}$/i.test(text))
    throw new InvalidArgumentError('It takes 16 hex digits, as in the names of the files.')
  return BigInt(`0x${text}`)
}
