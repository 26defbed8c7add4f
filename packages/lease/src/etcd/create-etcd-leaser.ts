import { LeaseOptionError } from '../errors.ts'
import type { Leaser, LeaserOptions } from '../leaser.ts'
import { Terms } from '../terms.ts'
import { EtcdGateway } from './etcd-gateway.ts'
import { EtcdLeaser } from './etcd-leaser.ts'

/** Where the lease is, and how the cluster is reached. */
export interface EtcdLeaserOptions extends LeaserOptions {
  /** The client URLs of the members, such as `http://10.0.0.1:2379`. Which one answers does not matter. */
  readonly endpoints: readonly string[]
  /** The key of the lease. */
  readonly key: string
  /** How long one member may take to answer, in milliseconds; a tenth of `ttl`, 200 to 2,000, by default. */
  readonly requestTimeout?: number
  /** Sent with every request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>
  /** Instead of Node's own, for TLS with a private authority or a client certificate. */
  readonly fetch?: typeof fetch
}

/**
 * A lease as a key of an etcd cluster (3.4 or newer), bound to a lease of the server's; the mod revision is the
 * generation.
 *
 * It speaks etcd's JSON gateway by `fetch`, so it needs no library. The server counts the time, in whole seconds; a change
 * of etcd's leader renews every lease, so that a dead holder's successor has to wait longer then.
 *
 * @example
 * const leaser = createEtcdLeaser({ endpoints: ['http://127.0.0.1:2379'], key: 'jobs/nightly' })
 * await using held = await hold(leaser)
 */
export function createEtcdLeaser(options: EtcdLeaserOptions): Leaser {
  const { endpoints, key, headers = {} } = options
  if (!Array.isArray(endpoints) || endpoints.length === 0) {
    throw new LeaseOptionError('endpoints must have the URL of at least one etcd member')
  }
  if (typeof key !== 'string' || key === '') throw new LeaseOptionError('key must be named')
  const terms = new Terms(options, 0)
  const timeout = options.requestTimeout ?? Math.min(2_000, Math.max(200, terms.ttl / 10))
  if (!(timeout > 0))
    throw new LeaseOptionError(`requestTimeout must be positive, and is ${timeout}`)
  const place = `etcd ${key}`
  const gateway = new EtcdGateway(
    place,
    endpoints.map((url) => url.replace(/\/+$/, '')),
    timeout,
    headers,
    options.fetch ?? fetch,
  )
  return new EtcdLeaser(place, key, gateway, terms)
}
