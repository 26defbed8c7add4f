/**
 * The arguments of `postgres` for single-user mode.
 *
 * It takes its shared memory from files in the data directory, which are there on every machine. Nothing but its one
 * process has it.
 */
export function singleUserArguments(
  path: string,
  database: string,
  settings: Readonly<Record<string, string>> = {},
): string[] {
  const all = { dynamic_shared_memory_type: 'mmap', ...settings }
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  return ['--single', '-D', path, ...flags, database]
}
