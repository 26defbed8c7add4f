/**
 * The arguments of `postgres` for single-user mode.
 *
 * Its dynamic shared memory is kept in files in the data directory, which works on every machine. Only one process uses that
 * memory.
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
