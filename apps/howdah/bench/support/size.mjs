// What `npm install howdah` brings without PostgreSQL, by the packages that are linked in this checkout. `pnpm try:installs` installs
// the packed tarballs, and tries them.
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { row } from './figures.mjs'

export function size() {
  const { bytes, count, types } = measured()
  return [
    row('`npm install howdah` without PostgreSQL', {
      before: '9.3 MB in 43 packages',
      now: `${(bytes / 1e6).toFixed(1)} MB in ${count} packages`,
      beside: { 'of it `@types/node`': `${(types / 1e6).toFixed(1)} MB` },
      goal: '≤ half',
    }),
  ]
}

/** The bytes and the number of the packages that come with the command. */
function measured() {
  const own = fileURLToPath(new URL('../..', import.meta.url))
  const directories = new Set([own])
  const add = (from, name) => {
    const places = createRequire(join(from, 'package.json')).resolve.paths(name)
    const place = places.find((one) => existsSync(join(one, name)))
    // It may be for another platform.
    if (place === undefined) return
    const directory = realpathSync(join(place, name))
    if (directories.has(directory)) return
    directories.add(directory)
    for (const needed of namesIn(directory)) add(directory, needed)
  }
  for (const name of namesIn(own)) if (name !== '@howdah/postgres') add(own, name)
  const bytesOf = (directory) =>
    packed(directory)
      .map(sizeOf)
      .reduce((one, other) => one + other, 0)
  const all = [...directories]
  return {
    bytes: all.map(bytesOf).reduce((one, other) => one + other, 0),
    count: all.length,
    types: all
      .filter((directory) => directory.endsWith('/@types/node'))
      .map(bytesOf)
      .reduce((one, other) => one + other, 0),
  }
}

/** The paths in a package that are published: everything, or in a checkout what its manifest names. */
function packed(directory) {
  if (directory.includes('/node_modules/')) return [directory]
  const { files } = manifestOf(directory)
  return files.map((name) => join(directory, name)).filter((path) => existsSync(path))
}

function sizeOf(path) {
  if (statSync(path).isFile()) return statSync(path).size
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
}

function namesIn(directory) {
  const { dependencies = {}, optionalDependencies = {} } = manifestOf(directory)
  return Object.keys({ ...dependencies, ...optionalDependencies })
}

function manifestOf(directory) {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
}
