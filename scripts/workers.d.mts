/** How many test files run at a time. */
export declare const workers: number
