// A small real server for the tests: one directory, one unix socket, one pid file, like a database's.
// SIGINT ends it in an orderly way; SIGTERM, which nobody should send, is ignored.
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { identifyProcess } from '@howdah/lock'

const [, , slowStart = '0', slowStop = '0', busyStop = '0'] = process.argv
const directory = process.cwd()
const events = `${directory}.events`
const startTime = startTimeOf(process.pid)

// Two at once must never be: the first thing to look at.
if (existsSync('server.pid')) {
  const [pid, started] = readFileSync('server.pid', 'utf8').split('\n')
  if (startTimeOf(pid) === started) appendFileSync(events, `clash ${pid} ${process.pid}\n`)
}
appendFileSync(events, `start ${process.pid} ${startTime}\n`)
writeFileSync('server.pid', `${process.pid}\n${startTime}\nstarting\n`)
process.on('SIGTERM', () => appendFileSync(events, `sigterm ${process.pid}\n`))
process.on('SIGINT', () => void stop())
await sleep(Number(slowStart))

const connections = new Set()
const server = createServer((connection) => {
  connections.add(connection)
  connection.on('close', () => connections.delete(connection))
  connection.on('error', () => undefined)
  connection.write(`hello from ${process.pid}\n`)
})
rmSync('socket', { force: true })
server.listen('socket', 1000, () => {
  writeFileSync('server.pid', `${process.pid}\n${startTime}\nready\n`)
})

function startTimeOf(pid) {
  return identifyProcess(Number(pid))?.startTime ?? null
}

async function stop() {
  appendFileSync(events, `stop ${process.pid} ${Date.now()}\n`)
  const busyUntil = performance.now() + Number(busyStop)
  while (performance.now() < busyUntil) await sleep(0)
  await sleep(Number(slowStop))
  for (const connection of connections) connection.destroy()
  rmSync('server.pid', { force: true })
  rmSync('socket', { force: true })
  appendFileSync(events, `gone ${process.pid}\n`)
  process.exit(0)
}
