import { randomUUID } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'

/** The obvious lease in a file, which is none: read, compare, rename, and read again. For negative controls. */
export function createNaiveLeaser({ dir, path, ttl, clock }) {
  const file = `${dir}/${path}`
  const read = async () => JSON.parse(await readFile(file, 'utf8').catch(() => 'null'))
  return {
    async acquire() {
      const seen = await read()
      if (seen !== null && seen.expiresAt > clock()) {
        throw Object.assign(new Error('held'), { code: 'ERR_LEASE_EXISTS' })
      }
      const generation = (seen?.generation ?? 0) + 1
      const next = { generation, nonce: randomUUID(), expiresAt: clock() + ttl }
      await writeFile(`${file}.${next.nonce}`, JSON.stringify(next))
      await rename(`${file}.${next.nonce}`, file)
      if ((await read()).nonce !== next.nonce) {
        throw Object.assign(new Error('lost'), { code: 'ERR_LEASE_EXISTS' })
      }
      return { generation, etag: next.nonce, owner: '', expiresAt: new Date(next.expiresAt) }
    },
  }
}
