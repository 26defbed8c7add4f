import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Random, S3Server, temporaryDirectory } from '@howdah/fixtures'
import { encodeLtx, type PageContent } from '@howdah/ltx'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { FileReplica, openReplica, ReplicaError, S3Replica } from '../src/index.ts'
import { gather, list, ltx, refusal } from './support/files.ts'

const run = promisify(execFile)
const name = '0000000000000001-0000000000000001.ltx'

let server: S3Server
beforeAll(async () => {
  server = await S3Server.start()
  for (const [variable, value] of Object.entries(server.env)) vi.stubEnv(variable, value)
})
beforeEach(() => {
  server.objects.clear()
  server.uploads.clear()
  server.requests.length = 0
  server.fault = () => undefined
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await server?.[Symbol.asyncDispose]()
})

/** A file of transaction 1 of so many pages that do not compress. */
async function large(pages: number): Promise<Buffer> {
  const noise = new Random(1).bytes(4096 + pages)
  const content: PageContent[] = Array.from({ length: pages }, (_, index) => {
    return { number: index + 1, data: noise.subarray(index, index + 4096) }
  })
  const header = { pageSize: 4096, commit: pages, minTxid: 1n, maxTxid: 1n, timestamp: 5n }
  return await gather(encodeLtx(header, content))
}

describe('the URL of a replica', () => {
  it.for([
    ['s3://replicas/app', 's3://replicas/app'],
    ['S3://replicas/a/b/', 's3://replicas/a/b'],
    ['s3://replicas', 's3://replicas'],
    ['s3://replicas/', 's3://replicas'],
    ['s3://replicas/with%20space/100%25', 's3://replicas/with space/100%'],
  ] as const)('in S3 names the bucket and the path: %s', async ([url, path]) => {
    for (const one of [url, new URL(url)]) {
      await using replica = await openReplica(one)
      expect([replica.type, replica.path]).toEqual(['s3', path])
    }
    expect((await S3Replica.fromUrl(url)).path).toBe(path)
  })

  it.for([
    's3://',
    's3:///path',
    's3://key:secret@replicas/app',
    's3://localhost:9000/replicas',
    's3://replicas/app?endpoint=x',
    's3://replicas/app#x',
    's3://replicas/a//b',
    's3://replicas/../b',
    's3://replicas/%zz',
    'https://replicas/app',
    'gs://replicas/app',
  ])('that is none is refused: %s', async (url) => {
    expect(await refusal(openReplica(url))).toBe('ERR_REPLICA_OPTION')
  })

  it('may also be a path or a file:// URL', async () => {
    for (const path of ['/backups/app', 'file:///backups/app', new URL('file:///backups/app')]) {
      const replica = await openReplica(path)
      expect(replica).toBeInstanceOf(FileReplica)
      expect(replica.path).toBe('/backups/app')
    }
  })
})

describe('a replica in S3', () => {
  it('has the layout of litestream, with the time in the metadata, and is found by the usual variables', async () => {
    await using replica = await openReplica('s3://replicas/app')
    await replica.writeLtxFile(9, 1n, 1n, await ltx(1n, 1n, { timestamp: 1_717_718_400_123n }))
    expect([...server.objects.keys()]).toEqual([`app/0009/${name}`])
    expect(server.objects.get(`app/0009/${name}`)?.metadata).toEqual({
      'litestream-timestamp': '2024-06-07T00:00:00.123Z',
    })
  })

  it('uses the time of an object that has no time in its metadata', async () => {
    await using replica = await openReplica('s3://replicas')
    server.put(`0000/${name}`, await ltx(1n))
    server.put(`0000/${name.replace('1', '2')}`, await ltx(1n), { 'litestream-timestamp': 'soon' })
    const [file] = await list(replica.ltxFiles(0))
    expect(file?.createdAt).toEqual(server.objects.get(`0000/${name}`)?.modified)
  })

  it('refuses levels that look the same in four hex digits and in decimal', async () => {
    await using replica = await openReplica('s3://replicas')
    expect(replica.ltxLevelDir(0xfff)).toBe('s3://replicas/0fff')
    expect(() => replica.ltxLevelDir(0x1000)).toThrow(ReplicaError)
  })

  it('reads on after a connection broke off, but only from the same version', async () => {
    const bytes = await large(300)
    server.put(`0000/${name}`, bytes)
    await using replica = await openReplica('s3://replicas')
    let left = 3
    server.fault = () => (left-- > 0 ? { cutAfter: 300_000 } : undefined)
    const read = await gather(await replica.openLtxFile(0, 1n, 1n, 100))
    expect(read.equals(bytes.subarray(100))).toBe(true)
    expect(server.requests.length).toBe(4)
    expect(server.requests.at(-1)).toBe(
      `GET /replicas/0000/${name}?x-id=GetObject bytes=900100-${bytes.length - 1}`,
    )

    left = 1
    server.fault = (request) => {
      if (request.headers['if-match'] === undefined) return { cutAfter: 300_000 }
      server.put(`0000/${name}`, Buffer.from('another'))
      return undefined
    }
    const changed = await replica.openLtxFile(0, 1n, 1n)
    await expect(gather(changed)).rejects.toMatchObject({ code: 'ERR_REPLICA_IO' })
  })

  it('gives up reading if no more data comes', async () => {
    server.put(`0000/${name}`, await large(2))
    await using replica = await openReplica('s3://replicas')
    server.fault = () => ({ cutAfter: 0 })
    const stream = await replica.openLtxFile(0, 1n, 1n)
    await expect(gather(stream)).rejects.toMatchObject({
      code: 'ERR_REPLICA_IO',
      path: `s3://replicas/0000/${name}`,
    })
    expect(server.requests.length).toBe(5)
  })

  it('writes a large file in parts, whole or not at all', async () => {
    const bytes = await large(3_300)
    expect(bytes.length).toBeGreaterThan(12 * 1_048_576)
    await using replica = await openReplica('s3://replicas/app', { partSize: 5 * 1_048_576 })
    await replica.writeLtxFile(0, 1n, 1n, [bytes.subarray(0, 1), bytes.subarray(1)])
    expect(server.objects.get(`app/0000/${name}`)?.body.equals(bytes)).toBe(true)
    expect(server.objects.get(`app/0000/${name}`)?.metadata).toEqual({
      'litestream-timestamp': '1970-01-01T00:00:00.005Z',
    })
    expect(server.requests.map((request) => request.split(' ')[0]).join(' ')).toBe(
      'POST PUT PUT PUT POST',
    )

    server.objects.clear()
    const cut = replica.writeLtxFile(0, 1n, 1n, bytes.subarray(0, -1))
    expect(await refusal(cut)).toBe('ERR_REPLICA_DAMAGED')
    expect([server.objects.size, server.uploads.size]).toEqual([0, 0])
  })

  it('deletes with everything else the parts that killed writers left, but not the parts of others', async () => {
    await using replica = await openReplica('s3://replicas/app')
    await replica.writeLtxFile(1, 1n, 1n, await ltx(1n))
    const upload = (key: string) => ({ key, metadata: {}, parts: new Map<number, Buffer>() })
    server.uploads.set('ours', upload(`app/0000/${name}`))
    server.uploads.set('another', upload('app/0000/notes'))
    server.uploads.set("another replica's", upload(`app2/0000/${name}`))
    server.uploads.set('below', upload(`app/other/0000/${name}`))
    await replica.deleteAll()
    expect(server.objects.size).toBe(0)
    expect([...server.uploads.keys()]).toEqual(['another', "another replica's", 'below'])
  })

  it('keeps no process alive', async () => {
    server.put(`app/0000/${name}`, await ltx(1n))
    using directory = temporaryDirectory()
    const script = `
      const { openReplica } = await import(${JSON.stringify(import.meta.resolve('@howdah/replica'))})
      const replica = await openReplica('s3://replicas/app')
      console.log((await replica.plan()).txid)
    `
    writeFileSync(directory.file('script.mjs'), script)
    const env = { ...process.env, ...server.env, NODE_NO_WARNINGS: '1' }
    const { stdout } = await run(process.execPath, [directory.file('script.mjs')], { env })
    expect(stdout).toBe('1n\n')
  })
})

describe('what S3 refuses', () => {
  const plan = async (url = 's3://replicas/app', options = {}): Promise<unknown> => {
    await using replica = await openReplica(url, options)
    return await replica.plan().catch((error: unknown) => error)
  }

  it('gives an error with a remedy: a missing bucket', async () => {
    expect(await plan('s3://elsewhere/app')).toMatchObject({
      code: 'ENOENT',
      path: 's3://elsewhere/app/ltx/',
      message: expect.stringContaining('there is no such bucket; check its name') as string,
    })
  })

  it('gives an error with a remedy: no permission', async () => {
    server.fault = () => ({ status: 403, code: 'AccessDenied' })
    expect(await plan()).toMatchObject({
      code: 'ERR_REPLICA_PERMISSION',
      message: expect.stringContaining('AccessDenied: it is so; check the credentials') as string,
    })
  })

  it('gives an error with a remedy: a server that does not answer', async () => {
    const gone = await S3Server.start()
    const { endpoint } = gone
    await gone[Symbol.asyncDispose]()
    expect(await plan('s3://replicas/app', { endpoint })).toMatchObject({
      code: 'ERR_REPLICA_IO',
      message: expect.stringContaining('check the network, and AWS_ENDPOINT_URL') as string,
    })
  })

  it('gives an error with a remedy: missing credentials or a missing region', async () => {
    for (const [variables, code, remedy] of [
      [
        ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
        'ERR_REPLICA_PERMISSION',
        'set AWS_ACCESS_KEY_ID',
      ],
      [['AWS_REGION'], 'ERR_REPLICA_OPTION', 'set AWS_REGION'],
    ] as const) {
      using home = temporaryDirectory()
      const env: NodeJS.ProcessEnv = {
        ...process.env,
        ...server.env,
        HOME: home.path,
        AWS_EC2_METADATA_DISABLED: 'true',
        NODE_NO_WARNINGS: '1',
      }
      for (const variable of [...variables, 'AWS_PROFILE']) delete env[variable]
      const script = `
        const { openReplica } = await import(${JSON.stringify(import.meta.resolve('@howdah/replica'))})
        const replica = await openReplica('s3://replicas/app')
        const { code, message } = await replica.plan().catch((error) => error)
        console.log(JSON.stringify({ code, message }))
      `
      writeFileSync(home.file('script.mjs'), script)
      const { stdout } = await run(process.execPath, [home.file('script.mjs')], { env })
      expect(JSON.parse(stdout)).toEqual({
        code,
        message: expect.stringContaining(remedy) as string,
      })
    }
  })

  it('includes parts that are too small', async () => {
    const opened = S3Replica.open({ bucket: 'replicas', partSize: 1_000_000 })
    expect(await refusal(opened)).toBe('ERR_REPLICA_OPTION')
    expect(await refusal(S3Replica.open({ bucket: '' }))).toBe('ERR_REPLICA_OPTION')
  })
})

describe('without @aws-sdk/client-s3', () => {
  it('a replica on disk works, and one in S3 says how to install it', async () => {
    using directory = temporaryDirectory()
    const modules = directory.file('node_modules', '@howdah')
    for (const one of ['replica', 'ltx', 'durable']) {
      mkdirSync(`${modules}/${one}`, { recursive: true })
      const own = (file: string) => fileURLToPath(new URL(`../../${one}/${file}`, import.meta.url))
      cpSync(own('dist'), `${modules}/${one}/dist`, { recursive: true })
      cpSync(own('package.json'), `${modules}/${one}/package.json`)
    }
    const lz4 = fileURLToPath(new URL('../../ltx/node_modules/lz4-napi', import.meta.url))
    symlinkSync(realpathSync(lz4), directory.file('node_modules', 'lz4-napi'))
    const script = `
      import { openReplica } from '@howdah/replica'
      console.log((await openReplica(${JSON.stringify(directory.file('replica'))})).type)
      const { code, message } = await openReplica('s3://replicas').catch((error) => error)
      console.log(code, message)
    `
    writeFileSync(directory.file('script.mjs'), script)
    const { stdout } = await run(process.execPath, [directory.file('script.mjs')])
    expect(stdout).toBe(
      'file\nERR_REPLICA_PEER_MISSING replicas in S3 need a library that is not installed; run: npm install @aws-sdk/client-s3\n',
    )
    const types = readFileSync(
      fileURLToPath(new URL('../dist/index.d.ts', import.meta.url)),
      'utf8',
    )
    expect(types).not.toMatch(/(from |import\()['"]@aws-sdk/)
  })
})
