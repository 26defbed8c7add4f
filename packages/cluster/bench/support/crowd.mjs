// Contenders, each in a process of its own, one or many at once.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { middle } from './times.mjs'

const contender = fileURLToPath(new URL('contender.mjs', import.meta.url))

/** Starts one: with its name, what it needs to know, and variables of its environment. */
export function startContender({ name, request, env }) {
  const child = spawn(process.execPath, [contender, name, JSON.stringify(request)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text))
  return { child, lines: createInterface(child.stdout), errors: () => errors }
}

/** Runs one, and gives its times and other numbers. */
export async function runContender(way) {
  const { lines, errors } = startContender(way)
  let output = ''
  for await (const line of lines) output = line
  const result = JSON.parse(output || '{}')
  if (result.ready === undefined) throw new Error(errors().trim().split('\n').at(-1))
  return result
}

/**
 * Many at once, each in a process of its own, as test runners have them: from the word to the answer of the last one, in ms, and the
 * memory of all servers in bytes. `name` is `crowd` or `crowdFloor`.
 */
export async function manyAtOnce(way, count, rounds) {
  const durations = []
  let bytes = 0
  for (let round = 0; round < rounds; round += 1) {
    const crowd = Array.from({ length: count }, () => startContender(way))
    const readers = crowd.map(({ lines }) => lines[Symbol.asyncIterator]())
    const next = async () =>
      await Promise.all(
        readers.map(async (reader, at) => {
          const { value, done } = await reader.next()
          if (done) throw new Error(crowd[at].errors().trim().split('\n').at(-1))
          return value
        }),
      )
    const tell = () => crowd.forEach(({ child }) => child.stdin.write('go\n'))
    await next()
    const begin = performance.now()
    tell()
    await next()
    durations.push(performance.now() - begin)
    tell()
    const results = await next()
    bytes = results.reduce((sum, value) => sum + JSON.parse(value).memory, 0)
  }
  return { ms: middle(durations), bytes }
}
