/**
 * Sets the variables of an environment to a database, and removes contradicting ones such as `PGSERVICE`. Gives a function
 * that restores the old values.
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

/** Whether a variable names a database: a variable of libpq, or `DATABASE_URL`. */
export function isConnection(name: string): boolean {
  return name === 'DATABASE_URL' || /^PG[A-Z]/.test(name)
}
