/**
 * Runs a task again and again by a timer.
 *
 * @param ms between two runs, in milliseconds
 * @param task what is run
 * @returns ends it
 */
export function every(ms: number, task: () => void): () => void {
  const timer = setInterval(task, ms);
  return () => clearInterval(timer);
}
