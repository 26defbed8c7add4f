// Makes what a process that builds a tree makes, and holds it until it is killed: `node stage-in-child.mjs DIRECTORY`.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { acquire } from '@howdah/lock'

const [path] = process.argv.slice(2)
mkdirSync(path)
writeFileSync(join(path, 'content'), '')
const lock = await acquire(join(path, '.lock'))
console.log(lock.path)
setInterval(() => {}, 1_000)
