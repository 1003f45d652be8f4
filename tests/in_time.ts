/** What is always wrong fails each time; what is wrong now and then may pass. */
const TRIES = 5;

/**
 * Runs what holds only for a test that acts in time, such as while the program it watches still
 * drains: other programs of the machine may stop this one for seconds, and then it is done again.
 *
 * @param test throws where the outcome is another one
 */
export async function inTime(test: () => Promise<void>): Promise<void> {
  for (let left = TRIES - 1; left > 0; left--) {
    try {
      return await test();
    } catch {
      // Once more; the last one says what is wrong.
    }
  }
  await test();
}
