/** A failure of the shell itself, whose message is for the user: `\connect` without an answer, a file that cannot be read. */
export class ShellError extends Error {
  override readonly name = 'ShellError'
}

/** The connection has ended, and a script cannot go on without it. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}
