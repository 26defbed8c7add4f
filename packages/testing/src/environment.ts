/**
 * Has the variables of an environment lead to a database, without those that would contradict, such as `PGSERVICE`. Gives what
 * puts them back.
 */
export function enterEnvironment(
  variables: Readonly<Record<string, string>>,
  environment: NodeJS.ProcessEnv,
): () => void {
  const before = { ...environment }
  const leave = () => {
    for (const name of Object.keys(environment)) if (isConnection(name)) delete environment[name]
  }
  leave()
  Object.assign(environment, variables)
  return () => {
    leave()
    for (const [name, value] of Object.entries(before))
      if (isConnection(name)) environment[name] = value
  }
}

/** Whether a variable says where a database is: libpq's, and the usual one. */
export function isConnection(name: string): boolean {
  return name === 'DATABASE_URL' || /^PG[A-Z]/.test(name)
}
