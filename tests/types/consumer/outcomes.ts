/** Outcomes narrow by `success`, and their codes are a closed set. */
import { createOrchestrator, type Outcome, type OutcomeCode } from 'jobwright';

const orchestrator = createOrchestrator();

export async function narrows(jobId: string): Promise<string> {
  const outcome = await orchestrator.runJob(jobId);
  // @ts-expect-error: a refusal has no job
  outcome.job;
  if (!outcome.success) {
    const code: OutcomeCode = outcome.code;
    // @ts-expect-error: the code is not one of the contract's
    if (outcome.code === 'no_such_code') return 'never';
    // @ts-expect-error: read only
    outcome.code = 'timeout';
    return `${code}: ${outcome.error}`;
  }
  // @ts-expect-error: a success has no error
  outcome.error;
  return `${outcome.status} ${outcome.job.id}`;
}

export async function stepReports(jobId: string): Promise<number> {
  const outcome = await orchestrator.nextStep(jobId, { any: 'input' });
  if (!outcome.success) return 0;
  // @ts-expect-error: there may have been no step left
  outcome.step.durationMs;
  return outcome.step?.durationMs ?? 0;
}

export async function results(jobId: string): Promise<string[]> {
  const outcome = await orchestrator.cancelJob(jobId, 'enough');
  return outcome.success ? Object.keys(outcome.results) : [];
}

export const bare: Outcome = { success: true };
// @ts-expect-error: a refusal says why
export const wordless: Outcome = { success: false };
