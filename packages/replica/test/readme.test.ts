import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { S3Server, temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it, vi } from 'vitest'
import { FileReplica, openReplica } from '../src/index.ts'
import { ltx } from './support/files.ts'

const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8')

describe("the README's example", () => {
  it('runs', async () => {
    using directory = temporaryDirectory()
    const url = pathToFileURL(directory.file('replica')).href
    const output = directory.file('app.db')
    const seen: unknown[] = []
    const console = { log: (...values: unknown[]) => seen.push(values) }
    const source = await ltx(1n)
    // README {
    const replica = FileReplica.fromUrl(url)
    await replica.writeLtxFile(0, 1n, 1n, source)

    for await (const { path, problem } of replica.verify()) {
      console.log(path, problem?.message ?? 'sound')
    }

    const { from, integrity } = await replica.restore({
      output,
      time: new Date(),
      integrityCheck: 'none',
      onProgress: ({ bytes, totalBytes }) => console.log(`${bytes} of ${totalBytes} bytes`),
    })
    // }
    expect(from).toEqual({ format: 'ltx', txid: 1n })
    expect(integrity.checkedBy).toBeNull()
    expect(seen[0]).toEqual([replica.ltxFilePath(0, 1n, 1n), 'sound'])
    expect(existsSync(output)).toBe(true)
  })

  it('of S3 runs', async () => {
    await using server = await S3Server.start()
    server.put('app/0000/0000000000000001-0000000000000001.ltx', await ltx(1n))
    for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value)
    using directory = temporaryDirectory()
    const output = directory.file('app.db')
    // README {
    await using replica = await openReplica('s3://replicas/app')
    await replica.restore({ output, integrityCheck: 'none' })
    // }
    vi.unstubAllEnvs()
    expect(existsSync(output)).toBe(true)
  })

  it('is what runs here', () => {
    const here = [...read('readme.test.ts').matchAll(/\/\/ README \{\n(.*?)\n +\/\/ \}/gs)]
    expect(here.length).toBe(2)
    for (const [, example = ''] of here) {
      const lines = example.split('\n').map((line) => line.slice(4))
      expect(read('../README.md')).toContain(lines.join('\n'))
    }
  })
})
