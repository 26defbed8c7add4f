/** The environment of this process without the variables that a pattern matches, such as those of an outer npm. */
export function environmentWithout(pattern) {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !pattern.test(name)))
}
