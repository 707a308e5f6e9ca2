// A reporter for vitest beside its JSON reporter, which leaves out why the hooks of a `describe` failed.
import { writeFile } from 'node:fs/promises';
import { SUITE_ERRORS_FILE } from './process.mjs';

/** @typedef {{ file: string, suite: string, message: string }} SuiteError the file, the `describe` as the JSON report spells it, and what its hook said */

/** Writes a JSON list of {@link SuiteError} where that variable says; without it, nothing. */
export default class SuiteErrors {
  /** @type {SuiteError[]} */
  #errors = [];

  /** @param {import('vitest/node').TestSuite} suite */
  onTestSuiteResult(suite) {
    for (const { message } of suite.errors()) {
      this.#errors.push({
        file: suite.module.moduleId,
        suite: suite.fullName.replaceAll(' > ', ' '),
        message,
      });
    }
  }

  async onTestRunEnd() {
    const path = process.env[SUITE_ERRORS_FILE];
    if (path !== undefined) await writeFile(path, JSON.stringify(this.#errors));
  }
}
