import type { Leaser, LeaserOptions } from '../leaser.ts'
import { Terms } from '../terms.ts'
import { EtcdGateway, type EtcdUser } from './etcd-gateway.ts'
import { EtcdLeaser } from './etcd-leaser.ts'
import { fetchSender, tlsSender, type EtcdTls } from './etcd-sender.ts'
import { meaninglessOption } from '../errors.ts'

/** The place of the lease, and how to reach the etcd cluster. */
export interface EtcdLeaserOptions extends LeaserOptions {
  /** The client URLs of the members, such as `http://10.0.0.1:2379`. Any of them may answer. */
  readonly endpoints: readonly string[]
  /** The key of the lease. */
  readonly key: string
  /** How long one member may take to answer, in milliseconds; a tenth of `ttl`, 200 to 2,000, by default. */
  readonly requestTimeout?: number | undefined
  /** Headers that are sent with every request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** The user, if etcd has authentication on. The user needs read and write permission on the key. */
  readonly user?: EtcdUser | undefined
  /** Authorities and a client certificate, for endpoints with `https`. */
  readonly tls?: EtcdTls | undefined
  /** A `fetch` to use instead of Node's own. */
  readonly fetch?: typeof fetch | undefined
}

/**
 * Keeps a lease as a key of an etcd cluster (3.4 or newer). The key is bound to a lease of the etcd server. Its mod revision
 * is the generation.
 *
 * It uses etcd's JSON gateway by `fetch`, so it needs no library. The server counts the time in whole seconds. A change of
 * etcd's leader renews every lease, so the successor of a dead holder then has to wait longer.
 *
 * @example
 * const leaser = createEtcdLeaser({ endpoints: ['http://127.0.0.1:2379'], key: 'jobs/nightly' })
 * await using held = await hold(leaser)
 */
export function createEtcdLeaser(options: EtcdLeaserOptions): Leaser {
  const { endpoints, key, headers = {}, tls } = options
  if (!Array.isArray(endpoints) || endpoints.length === 0) {
    throw meaninglessOption('endpoints must have the URL of at least one etcd member')
  }
  if (typeof key !== 'string' || key === '') throw meaninglessOption('key must be named')
  if (tls !== undefined && endpoints.some((url) => !url.startsWith('https://'))) {
    throw meaninglessOption('tls is for endpoints that begin with https://; correct them')
  }
  const terms = new Terms(options, 0)
  const timeout = options.requestTimeout ?? Math.min(2_000, Math.max(200, terms.ttl / 10))
  if (!(timeout > 0)) throw meaninglessOption(`requestTimeout must be positive, and is ${timeout}`)
  const place = `etcd ${key}`
  const gateway = new EtcdGateway(
    place,
    endpoints.map((url) => url.replace(/\/+$/, '')),
    timeout,
    headers,
    tls === undefined ? fetchSender(options.fetch ?? fetch) : tlsSender(tls),
    options.user ?? null,
  )
  return new EtcdLeaser(place, key, gateway, terms)
}
