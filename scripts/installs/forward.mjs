// Listens on a port of 127.0.0.1 and passes everything on to a socket: the only way out of the network in which packages
// are tried. Ends with the process that started it, whose pipe is its stdin.
import { connect, createServer } from 'node:net'

const [port, socket] = process.argv.slice(2)
const server = createServer((inner) => {
  const outer = connect(socket)
  inner.pipe(outer).pipe(inner)
  for (const stream of [inner, outer]) stream.on('error', () => stream.destroy())
})
server.listen(Number(port), '127.0.0.1', () => console.log('ready'))
process.stdin.on('end', () => process.exit()).resume()
