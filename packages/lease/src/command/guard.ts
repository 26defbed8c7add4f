import { Socket } from 'node:net'
import { Guard } from './guarded-command.ts'
import { readLines, type GuardOrder } from './guard-protocol.ts'

// The helper program between the holder of a lease and its command. It runs in a session of its own, so that signals that end
// or stop the holder do not reach it.
const socket = new Socket({ fd: Number(process.argv[2]) })
const guard = new Guard((report) => {
  if (socket.writable) socket.write(`${JSON.stringify(report)}\n`)
})
readLines(socket, (order) => guard.obey(order as GuardOrder))
// The holder is gone, and nobody will renew the lease.
socket.on('error', () => guard.end())
socket.on('close', () => guard.end())
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => guard.end())
void guard.finished.then(() => socket.end())
