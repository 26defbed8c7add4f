// The same as lockers.mjs, for Deno, whose open files can be locked: there it is flock(2), too.
export const lockers = {
  'Deno, FsFile.lock': async (path) => {
    const file = await Deno.open(path, { read: true, write: true, create: true })
    await file.lock(true)
    return () => file.close()
  },
}

/** Now, in ns by the clock that all processes share, as Node has it: Deno's own clocks begin with each process. */
export function instant() {
  clock ??= Deno.dlopen('libc.so.6', {
    clock_gettime: { parameters: ['i32', 'buffer'], result: 'i32' },
  })
  const monotonic = 1
  clock.symbols.clock_gettime(monotonic, time)
  return Number(time[0]) * 1e9 + Number(time[1])
}

let clock
const time = new BigInt64Array(2)
