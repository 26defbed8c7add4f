/** The roles to which a statement of a dump gives something, or from which it takes something. */
export function rolesIn(statement: string): string[] {
  if (!/^(?:alter|create|grant|revoke|set)\s/i.test(statement)) return []
  const text = statement.replaceAll(/\s+/g, ' ')
  for (const pattern of patterns) {
    const found = pattern.exec(text)
    if (found === null) continue
    return Object.values(found.groups ?? {})
      .filter((names) => names !== undefined)
      .flatMap(listed)
      .filter((name) => !isNoRole(name))
  }
  return []
}

/** The role that the statement makes, without quotes; `null` if it makes none. */
export function roleMadeBy(statement: string): string | null {
  const [, name] =
    new RegExp(`^CREATE (?:ROLE|USER|GROUP) (${identifier})`, 'i').exec(statement) ?? []
  return name === undefined ? null : unquoted(name)
}

const identifier = String.raw`(?:"(?:[^"]|"")+"|[^\s",;()]+)`
const list = `${identifier}(?:, ?${identifier})*`
const patterns = [
  `^ALTER .* OWNER TO (?<owner>${identifier})$`,
  `^ALTER DEFAULT PRIVILEGES FOR (?:ROLE|USER) (?<of>${list}) .*(?:TO|FROM) (?<to>${list})(?: WITH GRANT OPTION)?$`,
  `^(?:GRANT|REVOKE) .* ON .* (?:TO|FROM) (?<to>${list})(?: WITH GRANT OPTION| CASCADE)?$`,
  `^GRANT (?<role>${list}) TO (?<to>${list})(?: WITH [^"]*?)?(?: GRANTED BY (?<by>${identifier}))?$`,
  `^CREATE POLICY .* TO (?<to>${list})(?: USING.*| WITH CHECK.*)?$`,
  `^SET SESSION AUTHORIZATION (?<to>${identifier})$`,
].map((pattern) => new RegExp(pattern, 'is'))

function listed(names: string): string[] {
  return names.match(new RegExp(identifier, 'g'))?.map(unquoted) ?? []
}

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase()
}

function isNoRole(name: string): boolean {
  return /^(?:public|current_user|current_role|session_user|default)$/.test(name)
}
