import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { S3Client } from '@aws-sdk/client-s3'
import { S3Server, temporaryDirectory } from '@howdah/fixtures'
import { FileReplica, S3Replica } from '../src/index.ts'
import { describeReplica } from './support/describe-replica.ts'

describeReplica(
  'a directory',
  (level) => `ltx/${level}`,
  async () => {
    const directory = temporaryDirectory({ inMemory: true })
    let count = 0
    return {
      place: async () => {
        const root = directory.file(`replica ${count++}`)
        return {
          replica: new FileReplica(root),
          put: async (name, bytes) => {
            mkdirSync(dirname(join(root, name)), { recursive: true })
            writeFileSync(join(root, name), bytes)
          },
          names: async () => {
            if (statSync(root, { throwIfNoEntry: false }) === undefined) return []
            const names = readdirSync(root, { recursive: true, encoding: 'utf8' })
            return names.filter((name) => statSync(join(root, name)).isFile()).toSorted()
          },
        }
      },
      [Symbol.asyncDispose]: async () => directory[Symbol.dispose](),
    }
  },
)

describeReplica(
  'S3',
  (level) => level.toString(16).padStart(4, '0'),
  async () => {
    const server = await S3Server.start()
    // So that every listing goes on beyond its first page.
    server.pageSize = 2
    const client = new S3Client({
      endpoint: server.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    })
    let count = 0
    return {
      place: async () => {
        const path = `some where/replica ${count++}`
        return {
          replica: await S3Replica.open({ bucket: server.bucket, path: `/${path}/`, client }),
          put: async (name, bytes) => server.put(`${path}/${name}`, bytes),
          names: async () => {
            const keys = [...server.objects.keys()].filter((key) => key.startsWith(`${path}/`))
            return keys.map((key) => key.slice(path.length + 1)).toSorted()
          },
        }
      },
      [Symbol.asyncDispose]: async () => {
        client.destroy()
        await server[Symbol.asyncDispose]()
      },
    }
  },
)
