import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { availableVersions, installRuntime } from '../src/index.ts'
import { isMusl } from '../src/install/is-musl.ts'

afterEach(() => vi.unstubAllEnvs())

describe('without a registry', () => {
  test('offline: the error comes quickly', async () => {
    using directory = temporaryDirectory()
    vi.stubEnv('npm_config_registry', 'http://127.0.0.1:9')
    const options = { cacheDir: directory.file('cache'), retries: 0 }
    for (const action of [() => installRuntime(16, options), () => availableVersions(options)]) {
      await expect(action()).rejects.toMatchObject({
        code: 'ERR_RUNTIME_OFFLINE',
        message: expect.stringMatching(
          /npm cannot reach it \(.*ECONNREFUSED.*\); check the network/s,
        ),
      })
    }
    expect(readdirSync(directory.path)).toEqual([])
  })

  test('no npm', async () => {
    vi.stubEnv('PATH', '/nonexistent')
    const { execPath } = process
    process.execPath = '/nonexistent/node'
    try {
      await expect(installRuntime(16)).rejects.toMatchObject({ code: 'ERR_RUNTIME_NPM_MISSING' })
    } finally {
      process.execPath = execPath
    }
  })

  test.each([
    ['ENOSPC', 'ERR_RUNTIME_DISK_FULL'],
    ['EDQUOT', 'ERR_RUNTIME_DISK_FULL'],
    ['ENOTFOUND', 'ERR_RUNTIME_OFFLINE'],
    ['EAI_AGAIN', 'ERR_RUNTIME_OFFLINE'],
    ['ETIMEDOUT', 'ERR_RUNTIME_OFFLINE'],
    ['E503', 'ERR_RUNTIME_OFFLINE'],
    ['E401', 'ERR_RUNTIME_INSTALL_FAILED'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'ERR_RUNTIME_INSTALL_FAILED'],
    ['EBADPLATFORM', 'ERR_RUNTIME_UNSUPPORTED_PLATFORM'],
    ['E404', 'ERR_RUNTIME_UNSUPPORTED_PLATFORM'],
  ])('npm fails with %s: %s', async (npmCode, code) => {
    using directory = temporaryDirectory()
    const answer = JSON.stringify({ error: { code: npmCode, summary: 'the reason', detail: '' } })
    writeFileSync(directory.file('npm'), `#!/bin/sh\necho '${answer}'\nexit 1\n`, { mode: 0o755 })
    vi.stubEnv('PATH', `${directory.path}:/usr/bin:/bin`)
    await expect(installRuntime(16)).rejects.toMatchObject({ code })
  })

  test('npm gives no code', async () => {
    using directory = temporaryDirectory()
    vi.stubEnv('PATH', `${directory.path}:/usr/bin:/bin`)
    const fake = (script: string) =>
      writeFileSync(directory.file('npm'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    fake("echo 'npm ERR! code ENOSPC' >&2; exit 1")
    await expect(installRuntime(16)).rejects.toMatchObject({ code: 'ERR_RUNTIME_DISK_FULL' })
    fake('exit 7')
    await expect(installRuntime(16)).rejects.toMatchObject({
      code: 'ERR_RUNTIME_INSTALL_FAILED',
      npmCode: null,
      message: expect.stringContaining('exit code 7'),
    })
  })

  test.each([
    ['musl', ['lib/ld-musl-x86_64.so.1'], true],
    ['glibc', ['lib64/ld-linux-x86-64.so.2'], false],
    ['glibc on arm64', ['lib/ld-linux-aarch64.so.1'], false],
    ['both', ['lib/ld-musl-x86_64.so.1', 'lib64/ld-linux-x86-64.so.2'], false],
    ['neither, as on NixOS', [], false],
  ])('a system with %s', async (_, files, musl) => {
    using directory = temporaryDirectory()
    for (const folder of ['lib', 'lib64']) mkdirSync(directory.file(folder))
    for (const file of files) writeFileSync(directory.file(file), '')
    expect(await isMusl(directory.path)).toBe(musl)
  })
})
