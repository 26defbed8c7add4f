/** What the names of data directories begin with that belong to servers for tests. */
export const ownServerPrefix = 'testing-'
