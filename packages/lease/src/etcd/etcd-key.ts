import type { EtcdGateway } from './etcd-gateway.ts'

/** One version of the key's value. */
export interface KeyState {
  readonly value: Uint8Array
  /** The revision of the store at which the key was written; 0 if there is no key. */
  readonly revision: bigint
  /** The server's lease to which the key is bound; 0 if it is bound to none. */
  readonly leaseId: bigint
}

/** The state of the key, and the term of etcd in which it was read. */
export interface Read {
  readonly state: KeyState | null
  readonly term: string
}

interface Header {
  raft_term?: string
}

interface RangeAnswer {
  header?: Header
  kvs?: { value?: string; mod_revision?: string; lease?: string }[]
}

/** Reads and swaps one key, and keeps its server-side lease. */
export class EtcdKey {
  readonly #key: string
  readonly #gateway: EtcdGateway

  constructor(key: string, gateway: EtcdGateway) {
    this.#key = Buffer.from(key).toString('base64')
    this.#gateway = gateway
  }

  /** Reads the present state; a majority of members confirms the read. */
  async read(signal?: AbortSignal): Promise<Read> {
    const answer = await this.#gateway.ask<RangeAnswer>('/v3/kv/range', { key: this.#key }, signal)
    const found = answer?.kvs?.[0]
    const term = answer?.header?.raft_term ?? ''
    if (found === undefined) return { state: null, term }
    return {
      term,
      state: {
        value: Buffer.from(found.value ?? '', 'base64'),
        revision: BigInt(found.mod_revision ?? 0),
        leaseId: BigInt(found.lease ?? 0),
      },
    }
  }

  /**
   * Writes the key if it is still at `revision` (0: if there is no key). Gives the new revision, or `null` if it was not
   * written.
   */
  async swap(
    revision: bigint,
    value: Uint8Array,
    leaseId: bigint,
    signal?: AbortSignal,
  ): Promise<bigint | null> {
    const put = {
      key: this.#key,
      value: Buffer.from(value).toString('base64'),
      lease: `${leaseId}`,
    }
    const compare =
      revision === 0n
        ? { target: 'CREATE', create_revision: '0' }
        : { target: 'MOD', mod_revision: `${revision}` }
    const answer = await this.#gateway.ask<{ succeeded?: boolean; header?: { revision?: string } }>(
      '/v3/kv/txn',
      {
        compare: [{ key: this.#key, result: 'EQUAL', ...compare }],
        success: [{ request_put: put }],
      },
      signal,
      // The server's lease ended before the key could be bound to it.
      ({ message }) => /requested lease not found/.test(message),
    )
    return answer?.succeeded === true ? BigInt(answer.header?.revision ?? 0) : null
  }

  /** Makes a lease on the server. The server rounds up to whole seconds, and has a minimum. */
  async grant(leaseId: bigint, ttl: number, signal?: AbortSignal): Promise<void> {
    await this.#gateway.ask(
      '/v3/lease/grant',
      { ID: `${leaseId}`, TTL: `${Math.ceil(ttl / 1000)}` },
      signal,
      // The id is random, so the lease can only exist from a first copy of the same request.
      ({ message }) => /lease already exists/.test(message),
    )
  }

  /** Renews the server's lease. Gives the term in which it was renewed, or `null` if the lease is over. */
  async keepAlive(leaseId: bigint, signal?: AbortSignal): Promise<{ term: string } | null> {
    const answer = await this.#gateway.ask<{
      result?: { TTL?: string; header?: Header }
    }>('/v3/lease/keepalive', { ID: `${leaseId}` }, signal)
    const { TTL = '0', header } = answer?.result ?? {}
    return Number(TTL) > 0 ? { term: header?.raft_term ?? '' } : null
  }

  /** How long the server's lease lasts, in milliseconds; `null` if it is over. */
  async timeToLive(leaseId: bigint, signal?: AbortSignal): Promise<number | null> {
    const answer = await this.#gateway.ask<{ TTL?: string }>(
      '/v3/lease/timetolive',
      { ID: `${leaseId}` },
      signal,
    )
    const seconds = Number(answer?.TTL ?? 0)
    return seconds < 0 ? null : seconds * 1000
  }

  /** Ends the server's lease, and with it the key if the key is still bound to it. */
  async revoke(leaseId: bigint, signal?: AbortSignal): Promise<void> {
    await this.#gateway.ask('/v3/lease/revoke', { ID: `${leaseId}` }, signal, ({ message }) =>
      /lease not found/.test(message),
    )
  }
}
