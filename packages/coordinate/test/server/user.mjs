// A process that joins, connects, and stays until it is told to leave by a line on its standard input.
// Arguments: the directory, and options as JSON: those of joining, and `paths`, `dieAt`. With `tells` it says
// when it begins. With `stays` it only starts the
// server, to stay.
import { createInterface } from 'node:readline'
import { Free, Guard } from '@howdah/coordinate'
import { connectTo, pathsOf, subjectIn } from './directory-subject.mjs'

const [, , directory, json = '{}'] = process.argv
const { paths = {}, dieAt, stays = false, tells = false, ...options } = JSON.parse(json)
const at = (step) => {
  if (step === dieAt) process.kill(process.pid, 'SIGKILL')
}

try {
  if (tells) console.log('begun now')
  const subject = subjectIn(directory, at)
  const where = pathsOf(directory, paths)
  if (stays) {
    console.log(`started ${await new Free(subject, where).start({ start: {}, ...options })}`)
    process.exit(0)
  }
  const guard = await Guard.join(subject, where, { start: {}, ...options })
  const connection = await connectTo(directory)
  let leaving = false
  connection.on('close', () => {
    if (!leaving) console.log('lost')
  })
  connection.on('error', () => undefined)
  console.log(`joined ${guard.started}`)
  // A parent that ends closes the pipe; this is then killed or leaves, too.
  for await (const line of createInterface({ input: process.stdin })) {
    if (line !== 'leave') continue
    leaving = true
    console.log(`left ${await guard.leave()}`)
    break
  }
  process.exit(0)
} catch (error) {
  console.log(`failed ${error.code ?? ''} ${error.stack}`)
  process.exit(1)
}
