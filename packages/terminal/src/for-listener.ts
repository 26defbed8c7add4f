/** A program and its arguments. */
interface Words {
  readonly command: string
  readonly args: readonly string[]
}

/**
 * Lets a command receive the sockets that systemd opened for this process.
 *
 * sd_listen_fds(3) ignores them unless `LISTEN_PID` is the pid of the asking process. Only a shell that becomes the command
 * can set this. Without such sockets the command is returned unchanged.
 */
export function forListener(
  command: string,
  args: readonly string[],
  env: Readonly<NodeJS.ProcessEnv>,
): Words {
  if (env['LISTEN_PID'] !== String(process.pid)) return { command, args }
  const script = 'LISTEN_PID=$$; export LISTEN_PID; exec "$@"'
  return { command: '/bin/sh', args: ['-c', script, 'sh', command, ...args] }
}
