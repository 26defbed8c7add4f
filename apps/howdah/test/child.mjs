// A program to be run by howdah: says that it is ready and who it is, then tells of each signal, until one of them is to end it.
//
//   node child.mjs [SIGNAL=STATUS …]
const ends = new Map(process.argv.slice(2).map((word) => word.split('=')))
let heard = 0
const signals = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
  'SIGCONT',
]
for (const signal of signals) {
  process.on(signal, () => {
    heard++
    process.stdout.write(`heard ${signal}\n`)
    const status = ends.get(signal) ?? ends.get(`${signal}*${heard}`)
    // Every process that the terminal sent the same signal to is to have heard it before this ends.
    if (status !== undefined) setTimeout(() => process.exit(Number(status)), 200)
  })
}
process.stdout.write(`ready, pid ${process.pid}\n`)
setInterval(() => undefined, 1000)
