import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/**
 * Why fs-ext cannot be used here; `null` if it can.
 *
 * It is installed without being built, because building needs a compiler. So it is built here, unless that was done before.
 */
export function whyNoFsExt(): string | null {
  const require = createRequire(import.meta.url)
  const home = dirname(require.resolve('fs-ext/package.json'))
  const tried = spawnSync(process.execPath, ['-e', 'require(process.argv[1])', home])
  if (tried.status === 0) return null
  const headers = join(dirname(dirname(process.execPath)), 'include/node')
  if (!existsSync(join(headers, 'node.h'))) return `there are no headers of Node in ${headers}`
  const nan = dirname(createRequire(join(home, 'package.json')).resolve('nan'))
  const directory = join(home, 'build/Release')
  mkdirSync(directory, { recursive: true })
  const output = join(directory, `fs_ext.${process.pid}`)
  const words = ['-shared', '-fPIC', '-O1', '-w', '-DNODE_GYP_MODULE_NAME=fs_ext', `-I${headers}`]
  const standard = Number(process.versions.node.split('.')[0]) < 22 ? '-std=c++17' : '-std=c++20'
  const { status, stderr } = spawnSync(
    'c++',
    [...words, standard, `-I${nan}`, join(home, 'fs-ext.cc'), '-o', output],
    { encoding: 'utf8' },
  )
  if (status !== 0) return `fs-ext cannot be compiled: ${stderr || 'there is no compiler'}`
  renameSync(output, join(directory, 'fs_ext.node'))
  return null
}
