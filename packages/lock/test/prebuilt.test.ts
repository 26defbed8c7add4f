import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readMachO, temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'

const prebuilt = fileURLToPath(new URL('../prebuilt', import.meta.url))

describe('the prebuilt bindings', () => {
  it('are what their sources give', ({ skip }) => {
    using directory = temporaryDirectory()
    const script = fileURLToPath(new URL('../native/build.mjs', import.meta.url))
    const built = spawnSync(process.execPath, [script, directory.path], { encoding: 'utf8' })
    skip(built.stderr.includes('the files will differ'), built.stderr.split('\n')[0])
    expect(built).toMatchObject({ status: 0, stderr: '' })
    expect(readdirSync(directory.path)).toEqual(readdirSync(prebuilt))
    for (const name of readdirSync(prebuilt)) {
      const [ours, anew] = [prebuilt, directory.path].map((from) => readFileSync(`${from}/${name}`))
      expect(anew?.equals(ours!)).toBe(true)
    }
  })
})

describe.each([
  ['arm64', '11.0'],
  ['x64', '10.15'],
])('the prebuilt binding for macOS on %s, from %s on', (processor, oldest) => {
  const file = readFileSync(`${prebuilt}/darwin-${processor}.node`)
  const binding = readMachO(file)

  it('is a bundle for that processor and system, which registers as a module of Node-API', () => {
    expect(binding).toMatchObject({ processor, fileType: 'bundle', oldest })
    expect(binding.exports).toContain('_napi_register_module_v1')
  })

  it('needs Node-API of the program, and the C library, and nothing else', () => {
    expect(binding.libraries).toEqual(['/usr/lib/libSystem.B.dylib'])
    const ofProgram = binding.needs.filter(({ library }) => library === null)
    expect(ofProgram.length).toBeGreaterThan(0)
    expect(ofProgram.filter(({ symbol }) => !symbol.startsWith('_napi_'))).toEqual([])
    const ofLibrary = binding.needs.filter(({ library }) => library !== null)
    expect(ofLibrary.map(({ symbol }) => symbol)).toContain('_flock')
    expect(ofLibrary.filter(({ symbol }) => symbol.startsWith('_napi_'))).toEqual([])
  })

  it('asks the kernel for processes, and for the ids of the machine and of its boot', () => {
    const needed = binding.needs.map(({ symbol }) => symbol)
    const calls = ['_proc_pidinfo', '_proc_pidpath', '_proc_listallpids', '_sysctl', '_gethostuuid']
    expect(needed).toEqual(expect.arrayContaining([...calls, '_sysctlbyname']))
  })

  it('has inodes of 64 bits', () => {
    const stat = processor === 'x64' ? '_lstat$INODE64' : '_lstat'
    expect(binding.needs.map(({ symbol }) => symbol)).toContain(stat)
  })

  it('has an ad-hoc signature with the right hash of each page', () => {
    const { signature } = binding
    expect(signature?.adHoc).toBe(true)
    const { limit, pageSize, hashes } = signature!
    const pages = Array.from({ length: Math.ceil(limit / pageSize) }, (_, page) =>
      file.subarray(page * pageSize, Math.min(limit, (page + 1) * pageSize)),
    )
    expect(hashes).toEqual(pages.map((page) => createHash('sha256').update(page).digest('hex')))
  })
})
