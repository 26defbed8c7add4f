import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '../reason-of.ts'
import type { EtcdSender } from './etcd-sender.ts'
import { errno } from '@howdah/durable'
import { storeRefused, storeUnavailable } from '../errors.ts'

/** How many times all members are asked before etcd counts as unavailable. */
const rounds = 4

/**
 * The gRPC codes of temporary failures: cancelled, unknown, deadline exceeded, resource exhausted, aborted, internal,
 * unavailable.
 */
const passing = new Set([1, 2, 4, 8, 10, 13, 14])

/** A user of etcd's own authentication. */
export interface EtcdUser {
  readonly name: string
  readonly password: string
}

/**
 * etcd's JSON gateway, its v3 API over HTTP. It asks one member after the other, and prefers the member that answered last.
 */
export class EtcdGateway {
  readonly #place: string
  readonly #endpoints: readonly string[]
  readonly #timeout: number
  readonly #headers: Readonly<Record<string, string>>
  readonly #send: EtcdSender
  readonly #user: EtcdUser | null
  /** The token that etcd gave for the password. It becomes invalid after minutes, and at each change of users and roles. */
  #token: string | null = null
  #preferred = 0

  constructor(
    place: string,
    endpoints: readonly string[],
    timeout: number,
    headers: Readonly<Record<string, string>>,
    send: EtcdSender,
    user: EtcdUser | null = null,
  ) {
    this.#place = place
    this.#endpoints = endpoints
    this.#timeout = timeout
    this.#headers = headers
    this.#send = send
    this.#user = user
  }

  /**
   * Sends a request until a member answers. etcd may execute it more than once, so a repetition must be harmless.
   *
   * If etcd refuses the request permanently, it gives `null` if `mayRefuse` expects that refusal, else throws
   * `ERR_LEASE_STORE`. Throws `ERR_LEASE_UNAVAILABLE` if no member answers.
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
      // No member answers while etcd elects a leader.
      if (attempt > 0 && turn === 0) await pause(attempt / this.#endpoints.length, signal)
      const index = (this.#preferred + turn) % this.#endpoints.length
      try {
        const answer = await this.#askMember(`${this.#endpoints[index]}`, path, body, signal)
        const refusal = refusalOf(answer)
        if (refusal === null) {
          this.#preferred = index
          return answer as Answer
        }
        if (mayRefuse(refusal)) return null
        const isStale = this.#user !== null && isStaleToken(refusal)
        if (isStale) this.#token = null
        if (!isStale && !passing.has(refusal.code)) {
          throw storeRefused(
            this.#place,
            `${refusal.message} (gRPC code ${refusal.code}); check the endpoints, the version of etcd (3.4 or newer), the user, the password and the permissions`,
            refusal,
          )
        }
        failure = new Error(`${refusal.message} (gRPC code ${refusal.code})`)
      } catch (error) {
        if (errno(error) === 'ERR_LEASE_STORE') throw error
        signal?.throwIfAborted()
        failure = error
      }
    }
    throw storeUnavailable(
      this.#place,
      `did not answer at ${this.#endpoints.join(', ')}: ${reasonOf(failure)}`,
      failure,
    )
  }

  /** Asks one member, with authentication if there is a user. */
  async #askMember(
    endpoint: string,
    path: string,
    body: object,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    if (this.#user !== null && this.#token === null) {
      const { name, password } = this.#user
      const answer = await this.#post(
        `${endpoint}/v3/auth/authenticate`,
        { name, password },
        signal,
      )
      const refusal = refusalOf(answer)
      // If authentication is off, every user may do everything, as in etcdctl.
      if (refusal !== null && !/authentication is not enabled/.test(refusal.message)) return answer
      const { token } = answer as { token?: unknown }
      this.#token = typeof token === 'string' ? token : ''
    }
    return await this.#post(`${endpoint}${path}`, body, signal)
  }

  async #post(url: string, body: object, signal: AbortSignal | undefined): Promise<unknown> {
    const controller = new AbortController()
    const timer = setTimeout(() => {
      controller.abort(new Error(`${url} did not answer within ${this.#timeout} ms`))
    }, this.#timeout)
    const forward = () => controller.abort(signal?.reason)
    signal?.addEventListener('abort', forward, { once: true })
    try {
      signal?.throwIfAborted()
      const { status, text } = await this.#send(url, {
        headers: {
          'content-type': 'application/json',
          ...(this.#token && { authorization: this.#token }),
          ...this.#headers,
        },
        body: JSON.stringify(body),
        signal: controller.signal,
      })
      if ((status >= 200 && status < 300) || text.startsWith('{')) return JSON.parse(text)
      return {
        message: `${url} answered ${status}: ${text.trim().slice(0, 200)}`,
        code: status >= 500 ? 14 : 5,
      }
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', forward)
    }
  }
}

/** A refusal of etcd. */
export interface EtcdRefusal {
  readonly message: string
  /** The code of gRPC. */
  readonly code: number
}

/** The refusal in an answer. It is `{ message, code }`, or `{ error: { message, grpc_code } }` from a stream. */
function refusalOf(answer: unknown): EtcdRefusal | null {
  if (typeof answer !== 'object' || answer === null) return { message: 'no JSON object', code: 14 }
  const { error, message, code } = answer as Record<string, unknown>
  if (typeof code === 'number') return { message: String(message ?? error), code }
  if (typeof error !== 'object' || error === null) return null
  const { message: text, grpc_code } = error as Record<string, unknown>
  return { message: String(text), code: typeof grpc_code === 'number' ? grpc_code : 2 }
}

/** Whether the token is no longer valid, because of its age or because users or roles were changed. */
function isStaleToken({ code, message }: EtcdRefusal): boolean {
  return code === 16 || /invalid auth token|auth store is old/.test(message)
}

async function pause(round: number, signal: AbortSignal | undefined): Promise<void> {
  const time = 50 * 2 ** round * (0.5 + Math.random())
  await sleep(time, undefined, { signal }).catch(() => signal?.throwIfAborted())
}
