// Becomes user `uid`, and opens whatever it can in a directory, over and over. At each line on stdin it looks at all once more and
// says so; at the end of stdin it says what it has seen and opened.
//
//   node stranger.mjs UID DIRECTORY
import { accessSync, closeSync, constants, lstatSync, openSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'

const { O_NONBLOCK, O_RDONLY, O_WRONLY, R_OK, W_OK, X_OK } = constants
const [uid, directory] = process.argv.slice(2)
const names = new Set()
const opened = new Set()

process.setgroups([])
process.setgid(Number(uid))
process.setuid(Number(uid))

let isOver = false
createInterface(process.stdin)
  .on('line', () => {
    look(directory)
    console.log('looked')
  })
  .on('close', () => {
    isOver = true
    console.log(JSON.stringify({ names: [...names], opened: [...opened] }))
  })
goOn()

function goOn() {
  if (isOver) return
  look(directory)
  setImmediate(goOn)
}

function look(path) {
  let entries
  try {
    entries = readdirSync(path)
  } catch {
    return
  }
  for (const entry of entries) {
    const one = join(path, entry)
    const name = relative(directory, one)
    names.add(name)
    const isDirectory = lstatSync(one, { throwIfNoEntry: false })?.isDirectory() ?? false
    const tries = isDirectory
      ? { reading: may(one, R_OK), writing: may(one, W_OK), entering: may(one, X_OK) }
      : { reading: opens(one, O_RDONLY), writing: opens(one, O_WRONLY) }
    for (const [what, succeeded] of Object.entries(tries))
      if (succeeded) opened.add(`${name} for ${what}`)
    if (isDirectory) look(one)
  }
}

function may(path, mode) {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

function opens(path, flags) {
  try {
    closeSync(openSync(path, flags | O_NONBLOCK))
    return true
  } catch {
    return false
  }
}
