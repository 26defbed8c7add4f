import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Body, Range, S3Bucket } from './s3-bucket.ts'
import { s3 } from './s3-error.ts'

/** The number of times in a row that a read may break off without any data. */
const attempts = 5
const firstPause = 100

/**
 * The bytes of a range of an object. If the connection breaks off, it requests the rest of the same version of the object.
 */
export function resumingStream(bucket: S3Bucket, url: string, range: Range, first: Body): Readable {
  let body = first
  async function* bytes(): AsyncGenerator<Buffer, void, void> {
    const end = range.start + first.length - 1
    let at = range.start
    for (let failures = 0; at <= end;) {
      try {
        for await (const chunk of body.stream as AsyncIterable<Buffer>) {
          at += chunk.length
          failures = 0
          yield chunk
        }
        if (at <= end) throw new Error(`the answer ended at byte ${at} of ${end + 1}`)
      } catch (error) {
        if (++failures === attempts) await s3('read', url, () => Promise.reject(error))
        await sleep(firstPause * 2 ** failures)
        const rest = await bucket.get(url, { start: at, end }, first.etag)
        if (rest !== null) body = rest
      }
    }
  }
  const stream = Readable.from(bytes(), { objectMode: false })
  return stream.once('close', () => void body.stream.destroy())
}
