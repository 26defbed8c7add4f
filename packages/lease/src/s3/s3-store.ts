import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../logger.ts'
import type { Absent, RecordStore, Stored, Swapped } from '../record-store.ts'
import { proveConditions, type EtagForm } from './prove-conditions.ts'
import { bareEtag, type Condition, isUnclear, type Refusal, type S3Object } from './s3-object.ts'
import { storeRefused, storeUnavailable } from '../errors.ts'

/** How many times a request is tried if its answer is unclear, with pauses of 50 ms, 100 ms, … */
const attempts = 5

/** The ETag of the object; `null` if there is none. */
type Version = string | null

/** Keeps a record as one object, with conditional PUTs as compare-and-swap. */
export class S3Store implements RecordStore<Version> {
  readonly place: string
  readonly #object: S3Object
  readonly #logger: Logger
  readonly #prove: () => Promise<EtagForm>
  #proof: Promise<EtagForm> | undefined
  #form: EtagForm = 'quoted'

  constructor(object: (key: string) => S3Object, key: string, prove: boolean, logger: Logger) {
    this.#object = object(key)
    this.place = this.#object.url
    this.#logger = logger
    this.#prove = async () => (prove ? proveConditions(object, key, logger) : 'quoted')
  }

  /** Checks once that the store honours conditions. A failed check is tried again at the next call. */
  async ready(): Promise<void> {
    this.#proof ??= this.#prove()
    try {
      this.#form = await this.#proof
    } catch (error) {
      this.#proof = undefined
      throw error
    }
  }

  async read(signal?: AbortSignal): Promise<Stored<Version> | Absent<Version>> {
    let refusal: Refusal | undefined
    for (let attempt = 0; attempt < attempts; attempt++) {
      await pause(attempt, signal)
      const answer = await this.#object.get(signal)
      if (answer === null) return { bytes: null, version: null }
      if ('bytes' in answer) return { ...answer, version: answer.etag }
      refusal = answer
      if (!isUnclear(answer)) throw this.#refused(answer)
    }
    throw this.#silent(refusal)
  }

  async swap(
    base: Stored<Version> | Absent<Version>,
    next: Uint8Array,
    signal?: AbortSignal,
  ): Promise<Swapped | null> {
    let refusal: Refusal | undefined
    for (let attempt = 0; attempt < attempts; attempt++) {
      await pause(attempt, signal)
      const answer = await this.#object.put(next, this.#condition(base.version), signal)
      if (typeof answer === 'object' && 'etag' in answer) {
        return { etag: answer.etag, present: true }
      }
      if (typeof answer === 'object') {
        refusal = answer
        if (!isUnclear(answer)) throw this.#refused(answer)
        this.#logger.debug?.(`unclear answer ${answer.status} from ${this.place}`)
      }
      // A repeated request is also answered by `lost` if its first copy was executed. So read the object again.
      const now = await this.read(signal)
      if (now.bytes !== null && Buffer.compare(now.bytes, next) === 0) {
        return { etag: now.etag, present: true }
      }
      if (now.version !== base.version) return null
      // Nothing has changed: the request was lost, or may still arrive. Because of its condition, a repetition does no harm.
    }
    throw this.#silent(refusal)
  }

  #condition(version: Version): Condition {
    if (version === null) return { absent: true }
    return { etag: this.#form === 'bare' ? bareEtag(version) : version }
  }

  #refused({ status, error }: Refusal): Error {
    const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    return storeRefused(
      this.place,
      `${what} (status ${status}); check the bucket's name, the credentials and their permissions`,
      error,
    )
  }

  #silent(refusal: Refusal | undefined): Error {
    const status = refusal?.status ?? 0
    const what = status === 0 ? 'did not answer' : `answered ${status}`
    return storeUnavailable(this.place, `${what}, ${attempts} times`, refusal?.error)
  }
}

async function pause(attempt: number, signal: AbortSignal | undefined): Promise<void> {
  if (attempt === 0) return
  const time = 50 * 2 ** (attempt - 1) * (0.5 + Math.random())
  await sleep(time, undefined, { signal }).catch(() => signal?.throwIfAborted())
}
