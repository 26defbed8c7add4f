import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Options } from 'tsup'

type Plugin = NonNullable<Options['esbuildPlugins']>[number]

/** Writes the licences of the packages of others that a bundle holds into `file`, as the bundler says which they are. */
export function thirdPartyNotices(file: string): Plugin {
  return {
    name: 'third-party-notices',
    setup(build) {
      build.initialOptions.metafile = true
      build.onEnd(async ({ metafile }) => {
        const outputs = Object.values(metafile?.outputs ?? {})
        await mkdir(dirname(file), { recursive: true })
        await writeFile(file, noticesOf(outputs.flatMap(({ inputs }) => Object.keys(inputs))))
      })
    },
  }
}

/** The licences of the packages of others that files belong to. */
export function noticesOf(files: readonly string[]): string {
  const packages = new Set(files.map(packageOf).filter((path) => path !== null))
  return [...packages]
    .toSorted()
    .map(notice)
    .join(`\n${'-'.repeat(80)}\n\n`)
}

/** The directory of the package of others that a file is part of. */
function packageOf(file: string): string | null {
  const [, directory] = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(resolve(file)) ?? []
  return directory ?? null
}

function notice(directory: string): string {
  const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {
    name: string
    version: string
    license: string
  }
  const text = licenceIn(directory)
  if (text === null) {
    throw new Error(`${directory} has no licence to be passed on`)
  }
  return `${manifest.name} ${manifest.version} (${manifest.license})\n\n${text.trim()}\n`
}

/** The text of its file with the licence, or of the last section of its README; `null` if it has neither. */
function licenceIn(directory: string): string | null {
  const files = readdirSync(directory)
  const read = (name: string) => readFileSync(join(directory, name), 'utf8')
  const file = files.find((name) => /^licen[cs]e/i.test(name))
  if (file !== undefined) return read(file)
  const readme = files.find((name) => /^readme\.md$/i.test(name))
  const [, section] =
    /^#+ *licen[cs]e\s+(.*)/ims.exec(readme === undefined ? '' : read(readme)) ?? []
  return section?.includes('Permission is hereby granted') ? section : null
}
