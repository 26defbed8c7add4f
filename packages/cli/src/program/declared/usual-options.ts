/** Which cluster a command is about. */
export const cluster = ['datadir', 'branch', 'quiet'] as const
/** The role, the database and the new cluster that code gets. */
export const login = ['as', 'user', 'password', 'init', 'locale', 'trust'] as const
/** The server, and how it is started. */
export const server = [
  'set',
  'mode',
  'tcp',
  'tls',
  'runtime',
  'install',
  'timeout',
  'runAs',
] as const
