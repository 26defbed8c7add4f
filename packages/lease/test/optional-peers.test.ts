import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { temporaryDirectory } from '@howdah/fixtures'
import { expect, test } from 'vitest'

const run = promisify(execFile)

/** The package as it is published, where nothing else is installed. */
function installAlone() {
  const directory = temporaryDirectory()
  const home = directory.file('node_modules', '@howdah', 'lease')
  mkdirSync(home, { recursive: true })
  const own = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))
  cpSync(own('dist'), `${home}/dist`, { recursive: true })
  cpSync(own('package.json'), `${home}/package.json`)
  cpSync(own('../durable/dist'), `${home}/../durable/dist`, { recursive: true })
  cpSync(own('../durable/package.json'), `${home}/../durable/package.json`)
  return directory
}

async function evaluate(dir: string, script: string): Promise<unknown> {
  writeFileSync(`${dir}/script.mjs`, script)
  const { stdout } = await run(process.execPath, [`${dir}/script.mjs`], { cwd: dir })
  return JSON.parse(stdout)
}

test('a lease in a directory and in etcd needs nothing but the package', async () => {
  using alone = installAlone()
  const result = await evaluate(
    alone.path,
    `import { createFileLeaser, runWithLease } from '@howdah/lease'
     import { createEtcdLeaser } from '@howdah/lease/etcd'
     const { type } = createEtcdLeaser({ endpoints: ['http://127.0.0.1:1'], key: 'x' })
     const leaser = createFileLeaser({ dir: ${JSON.stringify(alone.path)} })
     const generation = await runWithLease(leaser, (signal, held) => String(held.generation))
     console.log(JSON.stringify({ type, generation }))`,
  )
  expect(result).toEqual({ type: 'etcd', generation: '1' })
})

test.each([
  ['s3', 'createS3Leaser', { bucket: 'x' }, '@aws-sdk/client-s3'],
  ['postgres', 'createPostgresLeaser', { name: 'x' }, 'pg'],
] as const)('%s without its library says how to install it', async (entry, name, options, peer) => {
  using alone = installAlone()
  const result = await evaluate(
    alone.path,
    `import { ${name} } from '@howdah/lease/${entry}'
     const { code, peer, message } = await ${name}(${JSON.stringify(options)}).catch((error) => error)
     console.log(JSON.stringify({ code, peer, message }))`,
  )
  expect(result).toMatchObject({
    code: 'ERR_LEASE_PEER_MISSING',
    peer,
    message: expect.stringContaining(`npm install ${peer}`) as string,
  })
})

test('the package depends on nothing but one of ours that depends on nothing, and its peers are optional', () => {
  const path = new URL('../package.json', import.meta.url)
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, unknown>>
  expect(Object.keys(manifest['dependencies'] ?? {})).toEqual(['@howdah/durable'])
  const optional = Object.fromEntries(
    Object.keys(manifest['peerDependencies'] ?? {}).map((name) => [name, { optional: true }]),
  )
  expect(manifest['peerDependenciesMeta']).toEqual(optional)
})
