// What a source folder, a package and a file may hold at most, so that each can be read. Prints what holds more, and ends with 1 then.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Files in a folder, lines in a package, lines in a file. */
const ceilings = { folder: 15, package: 5_500, file: 300 }

/** The files that may be longer, because two of them would be harder to read. */
const longer = new Map([
  // One shell script: its functions share their variables, and its order is what keeps the locks safe.
  ['packages/coordinate/src/watchdog/watchdog-script.ts', 340],
])

const files = readdirSync('packages')
  .map((name) => join('packages', name, 'src'))
  .filter((source) => existsSync(source))
  .flatMap((source) => readdirSync(source, { recursive: true }).map((name) => join(source, name)))
  .filter((file) => file.endsWith('.ts'))
const folders = new Map()
const packages = new Map()
const faults = []
const add = (counts, name, count) => counts.set(name, (counts.get(name) ?? 0) + count)

for (const file of files) {
  const lines = readFileSync(file, 'utf8').split('\n').length - 1
  if (lines > (longer.get(file) ?? ceilings.file))
    faults.push(`${file} has ${lines} lines: make two of it`)
  add(folders, dirname(file), 1)
  add(packages, file.split('/').slice(0, 2).join('/'), lines)
}
for (const [folder, count] of folders) {
  if (count > ceilings.folder) faults.push(`${folder} has ${count} files: make a folder in it`)
}
for (const [name, lines] of packages) {
  if (lines > ceilings.package) faults.push(`${name} has ${lines} lines: make two of it`)
}
for (const fault of faults) console.error(fault)
process.exitCode = faults.length === 0 ? 0 : 1
