import type { Context } from '../../program/command.ts'
import { exitStatus } from '../../exit-status.ts'

/** Prints a section for AGENTS.md. */
export async function agents({ output }: Context): Promise<number> {
  await output.write(section)
  return exitStatus.done
}

const section = `## Database

This project uses a real PostgreSQL by [howdah](https://www.npmjs.com/package/howdah). There is nothing to start, no port and no password.

- Run everything that needs the database by \`npx howdah exec -- COMMAND\`, such as \`npx howdah exec -- npm test\`. It sets DATABASE_URL and the PG* variables.
- SQL: \`npx howdah -c 'SELECT 1'\`, or \`npx howdah -f FILE\`. Add \`-d NAME\` for another database than postgres. It is made if it is missing.
- Each git worktree has a database cluster of its own: the first use forks the one of the main checkout. Change and break it freely. Nobody else sees it, and it is gone with the worktree.
- \`npx howdah reset\` makes the cluster of a worktree anew from the main checkout's. It refuses to work in the main checkout.
- \`destroy\`, \`dropdb\`, \`reset\` and \`restore\` keep what was there for 7 days: \`npx howdah undo\` brings it back, \`npx howdah undo list\` lists it. Do not use --no-save or --force.
- Nothing is asked. Exit status 75 means that others use it: try again later. \`npx howdah ls\` says who does.
- Never start postgres, pg_ctl or docker yourself, never kill a postgres process, and never remove or commit a \`.howdah\` directory. Removing a worktree is fine.
- If something is wrong, run \`npx howdah doctor\`. \`npx howdah logs -n 50\` prints the end of the server's log.
- In a sandbox howdah needs unix sockets, shared memory and write access to the project and to the directory where its state lies. The error says what was denied and what to allow.
`
