import { randomUUID } from 'node:crypto'
import type { Logger } from '../logger.ts'
import { bareEtag, type Condition, isUnclear, type Refusal, type S3Object } from './s3-object.ts'
import { storeRefused, storeUnavailable, storeUnsafe } from '../errors.ts'

/** The form in which the store wants an etag in a condition: with quotes, as it was received, or without them. */
export type EtagForm = 'quoted' | 'bare'

/** How many times a step is tried if its answer is unclear. */
const attempts = 4

/**
 * Checks, with an object beside `key`, that the store refuses a PUT over an existing object with `If-None-Match`, and a PUT
 * with a stale etag. Some stores ignore these headers.
 *
 * Rejects with `ERR_LEASE_STORE_UNSAFE` if they are ignored.
 */
export async function proveConditions(
  object: (key: string) => S3Object,
  key: string,
  logger: Logger,
): Promise<EtagForm> {
  const probe = object(`${key}.probe-${randomUUID()}`)
  try {
    const first = await write(probe, 'first', { absent: true })
    await mustRefuse(probe, { absent: true }, 'If-None-Match: *')
    let form: EtagForm = 'quoted'
    let answer = await attempt(probe, 'second', { etag: first })
    if (answer === null) {
      form = 'bare'
      answer = await attempt(probe, 'second', { etag: bareEtag(first) })
    }
    if (answer === null) {
      throw storeUnsafe(probe.url, 'the store refuses If-Match with the present ETag')
    }
    await mustRefuse(probe, { etag: form === 'bare' ? bareEtag(first) : first }, 'a stale If-Match')
    return form
  } finally {
    const refusal = await probe.delete().catch((error: unknown) => ({ status: 0, error }))
    if (refusal !== null) logger.warn?.(`cannot delete ${probe.url}; delete it`, refusal)
  }
}

async function write(probe: S3Object, text: string, condition: Condition): Promise<string> {
  const etag = await attempt(probe, text, condition)
  if (etag !== null) return etag
  throw storeUnsafe(probe.url, 'the store refuses If-None-Match: * for a new object')
}

async function mustRefuse(probe: S3Object, condition: Condition, what: string): Promise<void> {
  if ((await attempt(probe, 'stale', condition)) === null) return
  throw storeUnsafe(
    probe.url,
    `the store ignores ${what} and overwrites, so two contenders could both win`,
  )
}

/** Writes on a condition. Gives the new etag, or `null` if the condition was refused. */
async function attempt(
  probe: S3Object,
  text: string,
  condition: Condition,
): Promise<string | null> {
  const body = Buffer.from(`${text} ${randomUUID()}`)
  for (let left = attempts; ; left--) {
    const answer = await probe.put(body, condition)
    if (typeof answer === 'object' && 'etag' in answer) return answer.etag
    const seen = await probe.get()
    // A repeated request is refused if its first copy was executed.
    if (seen !== null && 'bytes' in seen && Buffer.compare(seen.bytes, body) === 0) return seen.etag
    // If what is there cannot be read, the step may have been executed: it is as unclear as one without an answer.
    const refusal = isRefusal(answer) ? answer : isRefusal(seen) ? seen : null
    if (refusal === null) {
      if (answer === 'lost') return null
      throw storeUnsafe(probe.url, 'an object that was just written is not there')
    }
    const { status, error } = refusal
    if (status === 501) {
      throw storeUnsafe(probe.url, 'the store does not implement conditions', error)
    }
    if (!isUnclear(refusal)) {
      const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
      throw storeRefused(
        probe.url,
        `${why} (status ${status}); check bucket and permissions`,
        error,
      )
    }
    if (left === 1) {
      throw storeUnavailable(
        probe.url,
        status === 0 ? 'did not answer' : `answered ${status}`,
        error,
      )
    }
  }
}

function isRefusal(answer: object | string | null): answer is Refusal {
  return typeof answer === 'object' && answer !== null && 'status' in answer
}
