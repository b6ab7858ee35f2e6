import type { Reporter, TestModule } from 'vitest/node';
import { debianPackage, type RequirementName } from './requirements.ts';

/** Ends a test run with one line about the suites that were skipped because a program is missing. */
export class RequirementsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const missing = new Set<RequirementName>();
    let skipped = 0;
    for (const module of modules) {
      for (const suite of module.children.allSuites()) {
        const { requires } = suite.meta();
        if (requires === undefined || suite.state() !== 'skipped') continue;
        missing.add(requires);
        skipped += [...suite.children.allTests()].length;
      }
    }
    if (missing.size === 0) return;
    const packages = [...missing].map(debianPackage).join(' ');
    console.log(`${skipped} tests were skipped: ${[...missing].join(', ')} not found (apt-get install ${packages})\n`);
  }
}
