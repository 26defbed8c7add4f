/** The prefix of the names of data directories of our own servers for tests. */
export const ownServerPrefix = 'testing-'
