import { setTimeout as sleep } from 'node:timers/promises'
import { LeaseStoreError, LeaseUnavailableError } from '../errors.ts'

/** How often all members are asked before etcd counts as unavailable. */
const rounds = 4

/** The codes of gRPC that may pass: cancelled, unknown, deadline exceeded, resource exhausted, aborted, internal, unavailable. */
const passing = new Set([1, 2, 4, 8, 10, 13, 14])

/** etcd's JSON gateway: its v3 API over HTTP. Asks one member after the other, and stays with the one that answered. */
export class EtcdGateway {
  readonly #place: string
  readonly #endpoints: readonly string[]
  readonly #timeout: number
  readonly #headers: Readonly<Record<string, string>>
  readonly #fetch: typeof fetch
  #preferred = 0

  constructor(
    place: string,
    endpoints: readonly string[],
    timeout: number,
    headers: Readonly<Record<string, string>>,
    send: typeof fetch,
  ) {
    this.#place = place
    this.#endpoints = endpoints
    this.#timeout = timeout
    this.#headers = headers
    this.#fetch = send
  }

  /**
   * Sends a request until a member answers. It may be done more than once, so it has to be harmless when repeated.
   *
   * A request that etcd refuses for good gives `null` where `mayRefuse` says that this is expected, else it throws
   * `LeaseStoreError`. Throws `LeaseUnavailableError` where no member answers.
   */
  async ask<Answer>(
    path: string,
    body: object,
    signal: AbortSignal | undefined,
    mayRefuse: (refusal: EtcdRefusal) => boolean = () => false,
  ): Promise<Answer | null> {
    let failure: unknown
    for (let attempt = 0; attempt < rounds * this.#endpoints.length; attempt++) {
      const turn = attempt % this.#endpoints.length
      // Nobody answers while etcd chooses a leader.
      if (attempt > 0 && turn === 0) await pause(attempt / this.#endpoints.length, signal)
      const index = (this.#preferred + turn) % this.#endpoints.length
      try {
        const answer = await this.#send(`${this.#endpoints[index]}${path}`, body, signal)
        const refusal = refusalOf(answer)
        if (refusal === null) {
          this.#preferred = index
          return answer as Answer
        }
        if (mayRefuse(refusal)) return null
        if (!passing.has(refusal.code)) {
          throw new LeaseStoreError(
            this.#place,
            `${refusal.message} (gRPC code ${refusal.code}); check the endpoints, the version of etcd (3.4 or newer) and the permissions`,
            refusal,
          )
        }
        failure = new Error(`${refusal.message} (gRPC code ${refusal.code})`)
      } catch (error) {
        if (error instanceof LeaseStoreError) throw error
        signal?.throwIfAborted()
        failure = error
      }
    }
    throw new LeaseUnavailableError(
      this.#place,
      `did not answer at ${this.#endpoints.join(', ')}`,
      failure,
    )
  }

  async #send(url: string, body: object, signal: AbortSignal | undefined): Promise<unknown> {
    const controller = new AbortController()
    const timer = setTimeout(() => {
      controller.abort(new Error(`${url} did not answer within ${this.#timeout} ms`))
    }, this.#timeout)
    const forward = () => controller.abort(signal?.reason)
    signal?.addEventListener('abort', forward, { once: true })
    try {
      signal?.throwIfAborted()
      const response = await this.#fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...this.#headers },
        body: JSON.stringify(body),
        signal: controller.signal,
      })
      const text = await response.text()
      if (response.ok || text.startsWith('{')) return JSON.parse(text)
      const code = response.status >= 500 ? 14 : 5
      return { message: `${url} answered ${response.status}`, code }
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', forward)
    }
  }
}

/** What etcd says when it refuses. */
export interface EtcdRefusal {
  readonly message: string
  /** The code of gRPC. */
  readonly code: number
}

/** A refusal is `{ message, code }`, and from a stream `{ error: { message, grpc_code } }`. */
function refusalOf(answer: unknown): EtcdRefusal | null {
  if (typeof answer !== 'object' || answer === null) return { message: 'no JSON object', code: 14 }
  const { error, message, code } = answer as Record<string, unknown>
  if (typeof code === 'number') return { message: String(message ?? error), code }
  if (typeof error !== 'object' || error === null) return null
  const { message: text, grpc_code } = error as Record<string, unknown>
  return { message: String(text), code: typeof grpc_code === 'number' ? grpc_code : 2 }
}

async function pause(round: number, signal: AbortSignal | undefined): Promise<void> {
  const time = 50 * 2 ** round * (0.5 + Math.random())
  await sleep(time, undefined, { signal }).catch(() => signal?.throwIfAborted())
}
