import type { Reporter, TestModule } from 'vitest/node';
import { debianPackage, isInstalled, type RequirementName } from './requirements.ts';

/** Ends a test run with one line about the tests that were skipped because a program is missing. */
export class RequirementsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const missing = new Set<RequirementName>();
    let skipped = 0;
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { requires } = test.meta();
        if (requires === undefined || isInstalled(requires) || test.result().state !== 'skipped') continue;
        missing.add(requires);
        skipped += 1;
      }
    }
    if (missing.size === 0) return;
    const packages = [...missing].map(debianPackage).join(' ');
    console.log(`${skipped} tests were skipped: ${[...missing].join(', ')} not found (apt-get install ${packages})\n`);
  }
}
