import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import { onPath } from '@howdah/runtime'
import { expect, it } from 'vitest'
import { Cluster } from '../../src/index.ts'

it('a PostgreSQL without OpenSSL is named before anything is made', async () => {
  using home = temporaryDirectory()
  const runtime = await newest.strategy.fallback()
  if (runtime === null) throw new Error('there is no PostgreSQL here')
  // None was built without: a script stands for it, with the words of such a build.
  const bindir = home.file('bin')
  mkdirSync(bindir)
  for (const program of ['initdb', 'pg_ctl']) {
    const there = runtime.program(program)
    if (existsSync(there)) symlinkSync(there, `${bindir}/${program}`)
  }
  const says = 'invalid value for parameter "ssl": 1\nDETAIL:  SSL is not supported by this build'
  const script = `#!/bin/sh
case "$*" in *ssl=on*) printf 'FATAL:  %s\\n' '${says}' >&2; exit 1;; esac
exec ${runtime.program('postgres')} "$@"
`
  writeFileSync(`${bindir}/postgres`, script)
  chmodSync(`${bindir}/postgres`, 0o755)
  chmodSync(home.path, 0o755)
  const cluster = new Cluster(home.file('data'), { strategy: onPath([bindir]) })
  await expect(cluster.run({ tls: true })).rejects.toMatchObject({
    code: 'ERR_CLUSTER_NO_TLS',
    message: expect.stringContaining('SSL is not supported by this build') as string,
  })
  expect(existsSync(cluster.dataDir)).toBe(false)
})

it('a missing library is named with its install command before anything is made', () => {
  using home = temporaryDirectory()
  const hook = `export async function resolve(name, context, next) {
    if (name !== 'node-forge') return await next(name, context)
    throw Object.assign(new Error('missing'), { code: 'ERR_MODULE_NOT_FOUND' })
  }`
  const script = `
    import { register } from 'node:module'
    register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hook)}`)})
    const { Cluster } = await import(${JSON.stringify(import.meta.resolve('@howdah/cluster'))})
    await new Cluster('data').run({ tls: true }).catch(({ code, message }) => console.log(code, message))
  `
  const args = ['--input-type=module', '--eval', script]
  // Package managers and runners name their own packages there.
  const { NODE_PATH: _, ...env } = process.env
  const said = execFileSync(process.execPath, args, { cwd: home.path, env, encoding: 'utf8' })
  expect(said).toMatch(/^ERR_CLUSTER_NO_TLS .* npm install --save-dev node-forge$/m)
  expect(existsSync(home.file('data'))).toBe(false)
})
