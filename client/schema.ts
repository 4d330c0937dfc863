/* Made from functions/api/openapi/openapi.json by `npm run build:openapi`: do not change it by hand. */
export interface paths {
  "/api/agent/tasks/pickup-and-execute": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Have the oldest pending task run by the pipeline, or the one that is named */
    post: operations["pickUpAndExecute"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/tasks/{id}/execute": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Have a pending task run by the pipeline now; one that cannot be started is left as it is */
    post: operations["executeTask"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/queue": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** What waits, for what, and what is paused */
    get: operations["getQueue"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/queue/pause": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Start nothing more: of all tasks, of a type, or by a provider; what runs goes on */
    post: operations["pauseQueue"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/queue/resume": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Start tasks again */
    post: operations["resumeQueue"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/tasks/bulk-cancel": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Cancel all tasks that fit, at least one condition; a dry run unless it is told otherwise */
    post: operations["cancelTasks"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/tasks/bulk-retry": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Begin all failed and cancelled tasks again that fit, at least one condition; a dry run unless it is told otherwise */
    post: operations["retryTasks"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/tasks": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Tasks, newest first */
    get: operations["listTasks"];
    put?: never;
    /** Create a task */
    post: operations["createTask"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/tasks/attention": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Tasks that failed or ask, newest first */
    get: operations["listAttention"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/tasks/count": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** How many tasks there are, in all and by status */
    get: operations["countTasks"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/tasks/upsert-active": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** The one unfinished task of a session, claimed: found, or made */
    post: operations["upsertActiveTask"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/tasks/{id}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** One task, whole */
    get: operations["getTask"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    /** Change a task: claim, report progress, finish, requeue, ask, decide */
    patch: operations["updateTask"];
    trace?: never;
  };
  "/api/agent/tasks/{id}/log": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The end of a task's log (at most 1 MB), or what follows an offset in bytes or, at less cost, a cursor */
    get: operations["getTaskLog"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/tasks/{id}/attempts": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The attempts on a task, oldest first, at most the last 100 */
    get: operations["listAttempts"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/tasks/{id}/cancel": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Cancel a task; what runs on it stops */
    post: operations["cancelTask"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/tasks/{id}/retry": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Begin a failed or cancelled task again */
    post: operations["retryTask"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/tasks/{id}/release": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Take a running task from whoever holds it */
    post: operations["releaseTask"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/tasks/{id}/decide": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Answer a task that asks */
    post: operations["decideTask"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/run-state/claim": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Claim a task for a run; a refusal is in the body */
    post: operations["claimRun"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/run-state/heartbeat": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Renew a run's lease */
    post: operations["renewRun"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/run-state/update": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Say how a run stands */
    post: operations["updateRun"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/run-state/{id}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** How the run on a task stands */
    get: operations["getRun"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/runners/heartbeat": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** A runner says that it lives; what it leaves out is empty */
    post: operations["sendHeartbeat"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/runners": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The runners that live, the latest seen first */
    get: operations["listRunners"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/route": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Which model and command an executor has for a task type; an executor nobody knows counts as claude */
    get: operations["getRoute"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/backlogs/check": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** What is wrong with the text of a backlog file */
    post: operations["checkBacklog"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/backlogs/{id}/push": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Make the table say what a backlog file says; a file with problems changes nothing (422) */
    post: operations["pushBacklog"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/backlogs": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Every backlog, by id */
    get: operations["listBacklogs"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/backlogs/{id}/items": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** A backlog's items in the order of the file */
    get: operations["listItems"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/backlogs/{id}/items/{item}/retry": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Begin an abandoned item again, or one whose task was cancelled */
    post: operations["retryItem"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/providers": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Which providers answered their probe, which cool down, what they cost, and what to do about them */
    get: operations["listProviders"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/providers/{name}/test": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Ask a provider now whether it can work; who asks meanwhile is given the same answer */
    post: operations["testProvider"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/workers": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The machines that run agents, and what each does now */
    get: operations["listWorkers"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/cleanup": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Remove worktrees, branches and old logs of work that is over */
    post: operations["cleanUp"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/pipeline-status": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** What runs, waits and has ended, and what needs attention */
    get: operations["getPipelineStatus"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/metrics": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Success, run time and cost over today and the six UTC days before */
    get: operations["getMetrics"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/usage": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Tasks by model, and who ran what, over today and the six UTC days before */
    get: operations["getUsage"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/visibility": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The pipeline and its usage at a glance */
    get: operations["getVisibility"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/integration": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Whether task types, roles and executors fit together, and what is missing */
    get: operations["getIntegration"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/effectiveness": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** How well the pipeline does what it is for, and how far its plan is */
    get: operations["getEffectiveness"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/status-report": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The monitor's last report, or that there is none yet */
    get: operations["getStatusReport"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/monitor-issues": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Open issues, the most pressing first, and when the monitor last looked */
    get: operations["getMonitorIssues"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/agent/fatal-issues": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** What ended the pipeline for good, if there is such */
    get: operations["getFatalIssues"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/runtime/endpoints/summary": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Requests by route over a window: how many, how long, with what status */
    get: operations["getEndpointsSummary"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/gates/public-deploy-contract": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** A constant: monitors count anything else as a block */
    get: operations["getPublicDeployContract"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/runtime/exerciser/run": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Calls nothing and says so */
    post: operations["runExerciser"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/runtime/usage/verification": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Compares nothing: no URL of a caller is fetched */
    get: operations["getUsageVerification"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/automation/usage/subscription-estimator": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Estimates no subscription */
    get: operations["getSubscriptionEstimate"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/automation/usage/external-tools": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Knows of no external tools */
    get: operations["listExternalTools"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/health": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Whether the process answers */
    get: operations["getHealth"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/ready": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Whether the store answers too (503 otherwise) */
    get: operations["getReady"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/version": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The API's version */
    get: operations["getVersion"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
}
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    AgentUsage: {
      by_model: {
        [key: string]: {
          count: number;
          by_status: {
            [key: string]: number;
          };
          last_used: string | null;
        };
      };
      routing: {
        [key: string]: {
          model: string;
          tier: string;
        };
      };
      execution: {
        tracked_runs: number;
        failed_runs: number;
        success_runs: number;
        success_rate: number;
        codex_runs: number;
        by_executor: {
          [key: string]: {
            count: number;
            completed: number;
            failed: number;
          };
        };
        by_agent: {
          [key: string]: {
            count: number;
            completed: number;
            failed: number;
          };
        };
        by_tool: {
          [key: string]: {
            count: number;
            completed: number;
            failed: number;
            success_rate: number;
          };
        };
        coverage: {
          completed_or_failed_tasks: number;
          tracked_task_runs: number;
          coverage_rate: number;
          untracked_task_ids: string[];
        };
        recent_runs: {
          event_id: string;
          task_id: string;
          endpoint: string;
          tool: string;
          /** @enum {number} */
          status_code: 200 | 500;
          executor: string;
          agent_id: string;
          provider: string;
          is_openai_codex: boolean;
          runtime_ms: number;
          recorded_at: string;
        }[];
      };
    };
    Attempt: {
      /** @description The number of the attempt, from 1 */
      n: number;
      /**
       * @description Who runs it: the pipeline, or a client that claimed it
       * @enum {string}
       */
      by: "pipeline" | "client";
      owner: string;
      /** Format: date-time */
      queued_at: string;
      /** Format: date-time */
      claimed_at: string;
      /** Format: date-time */
      lease_until: string;
      ended_at: string | null;
      end: {
        status: components["schemas"]["TaskStatus"];
        class: components["schemas"]["FailureClass"] | null;
        message: string;
      } | null;
      /** @description Goes of candidates so far */
      turn: number;
      step: string | null;
      /** @description The candidate whose go it is; -1 when there is none */
      chosen: number;
      candidates: components["schemas"]["Candidate"][] | null;
      /** @description Candidates that were left out, and why */
      skipped: components["schemas"]["Skipped"][] | null;
      tried: components["schemas"]["Tried"][];
      outcome: components["schemas"]["Outcome"] | null;
      usage: components["schemas"]["Usage"] | null;
      prompt_sha: string | null;
      prompt_variant: string | null;
      skill_version: string | null;
      tags: {
        [key: string]: string;
      } | null;
    };
    BulkChange: {
      dry_run: boolean;
      matched: number;
      ids: string[];
      refused: {
        id: string;
        code: string;
        detail: string;
      }[];
      /** @description How many had moved out of the filter by the time it was their turn */
      skipped: number;
      next_cursor: string | null;
    };
    Candidate: {
      provider: string;
      model: string;
      /** @enum {string} */
      where: "inline" | "machine";
      reason: string;
    };
    Cleaned: {
      worktrees: string[];
      branches: string[];
      logs: number;
    };
    ConfigFile: {
      /** @enum {string} */
      which: "home" | "repository";
      file: string;
      /** @enum {string} */
      state: "absent" | "used" | "refused";
      /**
       * @description Of a refused file: what it said before, or nothing of it
       * @enum {string}
       */
      using: "nothing" | "file" | "last_good";
      problem: string | null;
      remedy: string | null;
      /** Format: date-time */
      since: string;
    };
    Detail: {
      type: string;
      loc: (string | number)[];
      msg: string;
      input: unknown;
      ctx?: {
        [key: string]: unknown;
      };
    };
    Effectiveness: {
      throughput: {
        completed_7d: number;
        tasks_per_day: number;
      };
      success_rate: number;
      issues: {
        open: number;
        resolved_7d: number;
      };
      progress: {
        spec: number;
        impl: number;
        test: number;
        review: number;
        heal: number;
      };
      goal_proximity: number;
      heal_resolved_count: number;
      top_issues_by_priority: {
        condition: string;
        /** @enum {string} */
        severity: "high" | "medium" | "low";
        message: string;
      }[];
      plan_progress: {
        index: number;
        total: number;
        pct: number;
        state_file: string | null;
        phase_6: {
          completed: number;
          total: number;
          pct: number;
        };
        phase_7: {
          completed: number;
          total: number;
          pct: number;
        };
        backlog_alignment: {
          /** @constant */
          phases_from_backlog: true;
          /** @enum {string} */
          phase_6_7_status: "not_reached" | "in_progress" | "complete";
          phase_6_7_not_worked: boolean;
        };
      };
      monitor: {
        /** @enum {string} */
        state: "fresh" | "missed" | "failing" | "never";
        last_check: string | null;
      };
    };
    EndpointsSummary: {
      window_seconds: number;
      endpoints: {
        endpoint: string;
        methods: string[];
        idea_id: string;
        origin_idea_id: string;
        event_count: number;
        total_runtime_ms: number;
        average_runtime_ms: number;
        p50_runtime_ms: number | null;
        p99_runtime_ms: number | null;
        runtime_cost_estimate: number;
        paid_tool_event_count: number;
        paid_tool_failure_count: number;
        paid_tool_ratio: number;
        paid_tool_runtime_cost: number;
        paid_tool_average_runtime_ms: number;
        by_source: {
          [key: string]: number;
        };
        status_counts: {
          [key: string]: number;
        };
      }[];
    };
    Evidence: {
      result: {
        /** @enum {string} */
        verdict?: "pass" | "fail";
        summary: string;
        spec_path?: string;
        findings: string[];
        tests: string[];
        question?: components["schemas"]["Question"];
      } | null;
      files: string[];
      suite: components["schemas"]["Suite"] | null;
      base: string | null;
      head: string | null;
      spec_path: string | null;
      note: string;
    };
    /** @enum {string} */
    FailureClass:
      | "rate_limit"
      | "quota"
      | "payment"
      | "auth"
      | "model_not_found"
      | "overloaded"
      | "network"
      | "stalled"
      | "context_length"
      | "content_filter"
      | "bad_request"
      | "bad_result"
      | "crash"
      | "workspace"
      | "no_worker"
      | "budget"
      | "cooling"
      | "lost"
      | "cancelled"
      | "unreported"
      | "reported"
      | "internal";
    FatalIssues:
      | {
          /** @constant */
          fatal: false;
        }
      | {
          /** @constant */
          fatal: true;
          at: string;
          reason: string;
          detail: string;
          recovery_attempted: boolean;
        };
    Integration: {
      generated_at: string;
      /** @enum {string} */
      status: "healthy" | "needs_attention";
      summary: {
        task_types: number;
        profiles: number;
        gap_count: number;
        high_gap_count: number;
      };
      integration: {
        primary_bindings: {
          [key: string]: string;
        };
        guard_bindings: {
          [key: string]: string[];
        };
        agent_profiles: string[];
        missing_profile_files: string[];
        unbound_profiles: string[];
        unmapped_task_types: string[];
        binary_checks: {
          aider: boolean;
          agent: boolean;
          openclaw: boolean;
        };
        policy_defaults: {
          cheap_executor: string;
          escalation_executor: string;
        };
        gaps: {
          id: string;
          /** @enum {string} */
          severity: "high" | "medium" | "low";
          message: string;
          fix_hint: string;
        }[];
      };
    };
    Invalid: {
      detail: components["schemas"]["Detail"][];
    };
    Item: {
      id: string;
      backlog: string;
      /** @enum {string} */
      kind: "product" | "meta";
      text: string;
      section: string | null;
      phase_number: number | null;
      /** @description Its place in the file */
      rank: number;
      state: components["schemas"]["ItemState"];
      /** @enum {string} */
      phase: "spec" | "impl" | "test" | "review";
      /** @description Steps back so far */
      round: number;
      task: string | null;
      /** @description Tasks made for it so far */
      tasks_made: number;
      spec_path: string;
      branch: string;
      /** @description The commit it began from */
      base: string | null;
      /** @description The commit it has come to */
      head: string | null;
      /** @description Why the last round began, or why it was abandoned */
      last: string | null;
      /** Format: date-time */
      created_at: string;
      /** Format: date-time */
      updated_at: string;
      started_at: string | null;
      ended_at: string | null;
    };
    ItemRef: {
      backlog: string;
      item: string;
      seq: number;
      /** @enum {string} */
      phase: "spec" | "impl" | "test" | "review";
      round: number;
    };
    /** @enum {string} */
    ItemState: "queued" | "spec" | "impl" | "test" | "review" | "asking" | "done" | "abandoned" | "retired";
    Metrics: {
      success_rate: {
        completed: number;
        failed: number;
        total: number;
        rate: number;
      };
      execution_time: {
        p50_seconds: number;
        p95_seconds: number;
      };
      queue_time: {
        p50_seconds: number;
        p95_seconds: number;
      };
      by_task_type: {
        [key: string]: {
          count: number;
          completed: number;
          failed: number;
          success_rate: number;
        };
      };
      by_model: {
        [key: string]: {
          count: number;
          avg_duration: number;
        };
      };
      by_executor: {
        [key: string]: {
          count: number;
          avg_duration: number;
          completed: number;
          failed: number;
          success_rate: number;
          tokens_in: number | null;
          tokens_out: number | null;
          cost_usd: number | null;
        };
      };
      by_provider: {
        [key: string]: {
          count: number;
          avg_duration: number;
          completed: number;
          failed: number;
          success_rate: number;
          tokens_in: number | null;
          tokens_out: number | null;
          cost_usd: number | null;
        };
      };
      by_prompt_variant: {
        [key: string]: {
          count: number;
          avg_duration: number;
          completed: number;
          failed: number;
          success_rate: number;
          tokens_in: number | null;
          tokens_out: number | null;
          cost_usd: number | null;
        };
      };
      by_skill_version: {
        [key: string]: {
          count: number;
          avg_duration: number;
          completed: number;
          failed: number;
          success_rate: number;
          tokens_in: number | null;
          tokens_out: number | null;
          cost_usd: number | null;
        };
      };
      usage: {
        tokens_in: number | null;
        tokens_out: number | null;
        cost_usd: number | null;
        coverage: number;
        cost_coverage: number;
      };
      diagnostics: {
        failed: number;
        missing: number;
      };
    };
    Model: {
      name: string;
      context_window: number;
      /** @description 1 to 3: after a failure the stronger go first */
      tier: number;
      /** @description US dollars per million tokens; null: unknown */
      price: {
        input: number;
        cached: number;
        written: number;
        output: number;
        date: string;
        source: string;
      } | null;
    };
    MonitorIssues: {
      issues: {
        id: string;
        condition: string;
        /** @enum {string} */
        severity: "high" | "medium" | "low";
        /** @enum {number} */
        priority: 1 | 2 | 3;
        message: string;
        suggested_action: string;
        created_at: string;
        resolved_at: null;
        heal_task_id?: string;
      }[];
      last_check: string | null;
      history?: {
        at: string;
        condition: string;
        /** @enum {string} */
        severity: "high" | "medium" | "low";
      }[];
      resolved_since_last?: string[];
    };
    NotReady: {
      detail:
        | string
        | {
            [key: string]: unknown;
          };
    };
    Outcome:
      | {
          /** @constant */
          kind: "passed";
          head?: string;
          tip?: string;
        }
      | {
          /** @constant */
          kind: "red";
          head?: string;
        }
      | {
          /** @constant */
          kind: "rejected";
          head?: string;
        }
      | {
          /** @constant */
          kind: "conflict";
          tip: string;
          files: string[];
        }
      | {
          /** @constant */
          kind: "red_after_merge";
          tip: string;
        }
      | {
          /** @constant */
          kind: "question";
          question: components["schemas"]["Question"];
        }
      | {
          /** @constant */
          kind: "bad";
          message: string;
          remedy: string;
        };
    PaidLimit: {
      /**
       * @description Runs of paid providers in 8 hours, in a week; US dollars of a UTC day
       * @enum {string}
       */
      name: "8h_limit" | "1w_limit" | "day_cost_usd";
      used: number;
      limit: number;
      /** @description What of the limit the pipeline may use */
      allowed: number;
      /** Format: date-time */
      renews_at: string;
      /** @description At least 80 % of it is used */
      warn: boolean;
    };
    Paused: {
      /** @enum {string} */
      kind: "all" | "type" | "provider";
      task_type: components["schemas"]["TaskType"] | null;
      provider: string | null;
      /** Format: date-time */
      since: string;
      reason: string;
    };
    PipelineItem: {
      id: string;
      task_type: string;
      model: string;
      direction: string;
      claimed_by: string | null;
      created_at: string;
      updated_at: string;
      wait_seconds: number | null;
      running_seconds: number | null;
      duration_seconds: number | null;
      status: string;
      current_step: string | null;
      retry_not_before: string | null;
      wait_reason: string | null;
    };
    PipelineStatus: {
      running: {
        id: string;
        task_type: string;
        model: string;
        direction: string;
        claimed_by: string | null;
        created_at: string;
        updated_at: string;
        wait_seconds: number | null;
        running_seconds: number | null;
        duration_seconds: number | null;
        status: string;
        current_step: string | null;
        retry_not_before: string | null;
        wait_reason: string | null;
        live_tail?: string[] | null;
      }[];
      pending: components["schemas"]["PipelineItem"][];
      recent_completed: {
        id: string;
        task_type: string;
        model: string;
        direction: string;
        claimed_by: string | null;
        created_at: string;
        updated_at: string;
        wait_seconds: number | null;
        running_seconds: number | null;
        duration_seconds: number | null;
        status: string;
        current_step: string | null;
        retry_not_before: string | null;
        wait_reason: string | null;
        output_len: number;
      }[];
      running_by_phase: {
        spec: number;
        impl: number;
        test: number;
        review: number;
      };
      latest_request: {
        task_id: string;
        status: string;
        direction: string;
        prompt_preview: string;
      } | null;
      latest_response: {
        task_id: string;
        status: string;
        output_preview: string;
        output_len: number;
      } | null;
      attention: {
        stuck: boolean;
        repeated_failures: boolean;
        output_empty: boolean;
        executor_fail: boolean;
        low_success_rate: boolean;
        flags: ("stuck" | "repeated_failures" | "output_empty" | "executor_fail" | "low_success_rate")[];
      };
      project_manager: {
        [key: string]: unknown;
      } | null;
    };
    Problem: {
      line: number;
      message: string;
      remedy: string;
    };
    Provider: {
      name: string;
      ready: boolean;
      detail: string;
      remedy: string | null;
      models: string[];
      /** Format: date-time */
      checked_at: string;
      cooling_until: string | null;
      cooldowns: {
        /** @description Null: all its models */
        model: string | null;
        class: components["schemas"]["FailureClass"];
        /** @description Null: until it is ready again or its configuration changes */
        until: string | null;
        message: string;
      }[];
      /** @description Null, as what follows: this host has no such provider */
      family: ("api" | "cli" | "simulated") | null;
      /** @description The version it was tested with; null: never */
      verified: string | null;
      paid: boolean | null;
      /** @description Names its key by a hash; `none` without one */
      account: string | null;
      /** @description By a user's file */
      switched_off: boolean | null;
      model_details: components["schemas"]["Model"][] | null;
      /** @description What may not be asked now, also for what another provider met under the same key */
      cooling:
        | {
            /** @description Null: all its models */
            model: string | null;
            class: components["schemas"]["FailureClass"];
            /** @description Null: until it is ready again or its configuration changes */
            until: string | null;
          }[]
        | null;
      /** @description Null: it costs nothing, or it cannot be read now */
      spent: {
        today: {
          runs: number;
          /** @description Null: unknown */
          cost_usd: number | null;
          /** @description The share of runs whose cost is known; null without runs */
          coverage: number | null;
        };
        /** @description Today and the six days before (UTC) */
        window: {
          runs: number;
          /** @description Null: unknown */
          cost_usd: number | null;
          /** @description The share of runs whose cost is known; null without runs */
          coverage: number | null;
        };
      } | null;
    };
    ProviderTest: {
      name: string;
      ready: boolean;
      detail: string;
      remedy: string | null;
      ms: number;
      /** Format: date-time */
      checked_at: string;
    };
    Pushed: {
      backlog: string;
      dry_run: boolean;
      created: string[];
      changed: string[];
      returned: string[];
      retired: string[];
      unchanged: number;
      problems: components["schemas"]["Problem"][];
    };
    Question: {
      prompt: string;
      options: string[];
      default?: string;
      default_after_s?: number;
    };
    Queue: {
      slots: number;
      running: number;
      waiting: components["schemas"]["QueueWaiting"];
      paused: components["schemas"]["Paused"][];
    };
    QueuePlace: {
      position: number | null;
      estimate_seconds: number | null;
      waits_for: string | null;
    };
    QueueWaiting: {
      pipeline: number;
      external: number;
      parked: number;
      held: number;
    };
    Refusal: {
      detail: string;
    };
    Route: {
      task_type: components["schemas"]["TaskType"];
      model: string;
      command_template: string;
      tier: string;
      /** @enum {string} */
      executor: "claude" | "cursor" | "openclaw";
      provider: string;
      billing_provider: string;
      is_paid_provider: boolean;
    };
    RunState: {
      claimed: boolean;
      task_id: string;
      run_id: string | null;
      worker_id: string | null;
      status: string | null;
      attempt: number | null;
      branch: string | null;
      repo_path: string | null;
      head_sha: string | null;
      checkpoint_sha: string | null;
      failure_class: string | null;
      next_action: string | null;
      lease_expires_at: string | null;
      last_heartbeat_at: string | null;
      updated_at: string | null;
      detail: string | null;
    };
    Runner: {
      runner_id: string;
      /** @enum {string} */
      status: "idle" | "running" | "offline" | "degraded";
      online: boolean;
      host: string;
      pid: number | null;
      version: string;
      active_task_id: string;
      active_run_id: string;
      last_error: string;
      lease_expires_at: string;
      last_seen_at: string;
      updated_at: string;
      metadata: {
        [key: string]: unknown;
      };
    };
    Skipped: {
      provider: string;
      model: string;
      reason: string;
      class?: components["schemas"]["FailureClass"];
      /** @enum {string} */
      who_acts: "system" | "user" | "provider";
      remedy?: string;
      returns_at?: number;
      /** @enum {string} */
      guard?: "paid_provider_blocked" | "usage_window_budget_exceeded" | "cost_overrun";
    };
    StatusReport: {
      generated_at: string | null;
      overall: {
        /** @enum {string} */
        status: "ok" | "needs_attention" | "unknown";
        going_well: string[];
        needs_attention: string[];
      };
      layer_0_goal: {
        /** @enum {string} */
        status: "ok" | "needs_attention" | "unknown";
        summary: string;
        goal_proximity?: number;
        throughput_7d?: number;
        tasks_per_day?: number;
        success_rate?: number;
      };
      layer_1_orchestration: {
        /** @enum {string} */
        status: "ok" | "needs_attention" | "unknown";
        summary: string;
        /** @enum {string} */
        project_manager?: "running" | "not_seen" | "unknown";
        pm_in_flight?: number;
        /** @enum {string} */
        agent_runner?: "running" | "not_seen";
        runner_workers?: number | null;
        pm_parallel?: boolean | null;
      };
      layer_2_execution: {
        /** @enum {string} */
        status: "ok" | "needs_attention" | "unknown";
        summary: string;
        api?: string;
        metrics?: string;
      };
      layer_3_attention: {
        /** @enum {string} */
        status: "ok" | "needs_attention" | "unknown";
        summary: string;
        issues_count?: number;
        resolved_since_last?: string[];
        issues?: {
          priority: number;
          condition: string;
          /** @enum {string} */
          severity: "high" | "medium" | "low";
          message: string;
        }[];
      };
      meta_questions?: {
        /** @enum {string} */
        status: "ok" | "needs_attention";
        last_run: string | null;
        unanswered: string[];
        failed: string[];
      };
      error?: string;
    };
    Suite: {
      command: string[];
      /** @enum {string} */
      source: "config" | "base" | "item";
      exit: number;
      passed: number | null;
      failed: number | null;
      failures: string[];
      tail: string;
      ms: number;
    };
    Task: {
      id: string;
      direction: string;
      task_type: components["schemas"]["TaskType"];
      status: components["schemas"]["TaskStatus"];
      /** @description What it asks for, or last ran on */
      model: string;
      progress_pct: number | null;
      current_step: string | null;
      decision_prompt: string | null;
      decision: string | null;
      target_state: string | null;
      success_evidence: string[] | null;
      abort_evidence: string[] | null;
      observation_window_sec: number | null;
      /** @description Who has it, or had it last */
      claimed_by: string | null;
      claimed_at: string | null;
      /** Format: date-time */
      created_at: string;
      updated_at: string | null;
      started_at: string | null;
      item: components["schemas"]["ItemRef"] | null;
      /** @description Attempts on it so far */
      att: number;
      /** @description 0 to 99, higher first */
      priority: number | null;
      /** @description Parked until then */
      retry_not_before: string | null;
      /** @description Why it is parked */
      wait_reason: string | null;
      /** @description The prompt as a command line, for runners that execute it; quoted for a POSIX shell */
      command: string;
      /** @description Its place; null when it is not pending */
      queue: components["schemas"]["QueuePlace"] | null;
      /** @description Head and tail of what it printed; the whole is its log */
      output: string | null;
      context: {
        [key: string]: unknown;
      } | null;
      decision_options: string[] | null;
      decision_default: string | null;
      /** @description When the default answer is taken, or the question expires */
      decision_due: string | null;
      /** @description US dollars of its attempts, as far as known; null: none known */
      spent_usd: number | null;
      error: components["schemas"]["TaskError"] | null;
      /** @description What the pipeline saw for itself when the agent had finished */
      result: components["schemas"]["Evidence"] | null;
    };
    TaskCreate: {
      /** @description What is to be done */
      direction: string;
      task_type: components["schemas"]["TaskType"];
      /** @description Whatever its worker has to know, up to 256 KiB */
      context?: {
        [key: string]: unknown;
      };
      /** @description What is so when it is done */
      target_state?: string;
      /** @description What shows that it is */
      success_evidence?: string | string[];
      /** @description What shows that it will not be */
      abort_evidence?: string | string[];
      /** @description Seconds in which that is looked for; stored as 30 at least */
      observation_window_sec?: number;
      /** @description Higher goes first; 50 unless it is given */
      priority?: number;
    };
    TaskError: {
      class: components["schemas"]["FailureClass"];
      message: string;
      excerpt: string;
      remedy: string;
      retryable: boolean;
      /** @enum {string} */
      who_acts: "system" | "user" | "provider";
    };
    TaskListItem: {
      id: string;
      direction: string;
      task_type: components["schemas"]["TaskType"];
      status: components["schemas"]["TaskStatus"];
      /** @description What it asks for, or last ran on */
      model: string;
      progress_pct: number | null;
      current_step: string | null;
      decision_prompt: string | null;
      decision: string | null;
      target_state: string | null;
      success_evidence: string[] | null;
      abort_evidence: string[] | null;
      observation_window_sec: number | null;
      /** @description Who has it, or had it last */
      claimed_by: string | null;
      claimed_at: string | null;
      /** Format: date-time */
      created_at: string;
      updated_at: string | null;
      started_at: string | null;
      item: components["schemas"]["ItemRef"] | null;
      /** @description Attempts on it so far */
      att: number;
      /** @description 0 to 99, higher first */
      priority: number | null;
      /** @description Parked until then */
      retry_not_before: string | null;
      /** @description Why it is parked */
      wait_reason: string | null;
    };
    /** @enum {string} */
    TaskStatus: "pending" | "running" | "completed" | "failed" | "needs_decision" | "cancelled";
    /** @enum {string} */
    TaskType: "spec" | "test" | "impl" | "review" | "heal";
    TaskUpdate: {
      status?: ("pending" | "running" | "completed" | "failed" | "needs_decision") | null;
      /** @description What it printed; of much, head and tail are kept */
      output?: string | null;
      progress_pct?: number | null;
      current_step?: string | null;
      /** @description What it asks, with the status needs_decision */
      decision_prompt?: string | null;
      /** @description The answer to what it asks */
      decision?: string | null;
      /** @description Merged into what is there, key by key */
      context?: {
        [key: string]: unknown;
      } | null;
      /** @description Who says so: the one who claimed it */
      worker_id?: string | null;
      target_state?: string | null;
      success_evidence?: (string | string[]) | null;
      abort_evidence?: (string | string[]) | null;
      observation_window_sec?: number | null;
      /** @description Why it failed */
      error?: string | null;
      /** @description Higher goes first */
      priority?: number | null;
    };
    Tried: {
      provider: string;
      model: string;
      turn: number;
      class: components["schemas"]["FailureClass"] | null;
      message: string;
      ms: number;
      usage: components["schemas"]["Usage"];
      /** @constant */
      overtime?: true;
    };
    UpsertActive: {
      session_key: string;
      /** @description What is to be done */
      direction: string;
      /** @default impl */
      task_type?: components["schemas"]["TaskType"];
      worker_id?: string;
      context?: {
        [key: string]: unknown;
      };
    };
    Usage: {
      tokens_in: number | null;
      tokens_out: number | null;
      tokens_cached: number | null;
      cost_usd: number | null;
    };
    Visibility: {
      pipeline: {
        running_count: number;
        pending_count: number;
        recent_completed_count: number;
        running_by_phase: {
          spec: number;
          impl: number;
          test: number;
          review: number;
        };
        attention_flags: ("stuck" | "repeated_failures" | "output_empty" | "executor_fail" | "low_success_rate")[];
      };
      usage: components["schemas"]["AgentUsage"];
      remaining_usage: {
        coverage_rate: number;
        remaining_to_full_coverage: number;
        untracked_task_ids: string[];
        /** @enum {string} */
        health: "green" | "yellow" | "red";
      };
    };
    Worker: {
      id: string;
      capabilities: string[];
      slots: number;
      live: boolean;
      /** Format: date-time */
      seen_at: string;
      doing: {
        task_id: string;
        attempt: number;
        step: string | null;
      }[];
    };
  };
  responses: {
    /** @description No key, or none that is known. */
    Unauthorized: {
      headers: {
        "x-request-id": components["headers"]["RequestId"];
        "x-error-code": components["headers"]["ErrorCode"];
        [name: string]: unknown;
      };
      content: {
        /**
         * @example {
         *       "detail": "This API needs a key"
         *     }
         */
        "application/json": components["schemas"]["Refusal"];
      };
    };
    /** @description The key lacks the scope, or this Host or Origin may not call. */
    Forbidden: {
      headers: {
        "x-request-id": components["headers"]["RequestId"];
        "x-error-code": components["headers"]["ErrorCode"];
        [name: string]: unknown;
      };
      content: {
        /**
         * @example {
         *       "detail": "This key lacks the scope read. Use a key that has it."
         *     }
         */
        "application/json": components["schemas"]["Refusal"];
      };
    };
    /** @description More than is taken at a time. */
    TooLarge: {
      headers: {
        "x-request-id": components["headers"]["RequestId"];
        "x-error-code": components["headers"]["ErrorCode"];
        [name: string]: unknown;
      };
      content: {
        /**
         * @example {
         *       "detail": "The body is over 1024 KiB"
         *     }
         */
        "application/json": components["schemas"]["Refusal"];
      };
    };
    /** @description A body that does not say it is JSON. */
    NotJson: {
      headers: {
        "x-request-id": components["headers"]["RequestId"];
        "x-error-code": components["headers"]["ErrorCode"];
        [name: string]: unknown;
      };
      content: {
        /**
         * @example {
         *       "detail": "A body is JSON: send it with Content-Type application/json"
         *     }
         */
        "application/json": components["schemas"]["Refusal"];
      };
    };
    /** @description All that is wrong with what was sent, and where. */
    NotValid: {
      headers: {
        "x-request-id": components["headers"]["RequestId"];
        "x-error-code": components["headers"]["ErrorCode"];
        [name: string]: unknown;
      };
      content: {
        /**
         * @example {
         *       "detail": [
         *         {
         *           "type": "missing",
         *           "loc": [
         *             "body",
         *             "decision"
         *           ],
         *           "msg": "Field required",
         *           "input": {}
         *         }
         *       ]
         *     }
         */
        "application/json": components["schemas"]["Invalid"];
      };
    };
    /** @description A fault of the API's own. */
    Internal: {
      headers: {
        "x-request-id": components["headers"]["RequestId"];
        "x-error-code": components["headers"]["ErrorCode"];
        [name: string]: unknown;
      };
      content: {
        /**
         * @example {
         *       "detail": "Internal server error"
         *     }
         */
        "application/json": components["schemas"]["Refusal"];
      };
    };
    /** @description The store is away or at its limit: try again. */
    Unavailable: {
      headers: {
        "x-request-id": components["headers"]["RequestId"];
        "x-error-code": components["headers"]["ErrorCode"];
        [name: string]: unknown;
      };
      content: {
        /**
         * @example {
         *       "detail": "The store does not answer"
         *     }
         */
        "application/json": components["schemas"]["Refusal"];
      };
    };
  };
  parameters: never;
  requestBodies: never;
  headers: {
    /** @description Names this request in the log. */
    RequestId: string;
    /** @description What went wrong, for programs: `task.claimed`. */
    ErrorCode: string;
  };
  pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
  pickUpAndExecute: {
    parameters: {
      query?: {
        max_cost_usd?: number;
        estimated_cost_usd?: number;
        cost_slack_ratio?: number;
        force_paid_providers?: string;
        force_paid_provider?: string;
        force_allow_paid_providers?: string;
        allow_paid_providers?: string;
        allow_paid_provider?: string;
        task_id?: string;
        task_type?: components["schemas"]["TaskType"];
      };
      header?: {
        /** @description AGENT_EXECUTE_TOKEN, where it is set */
        "x-agent-execute-token"?: string;
        /** @description Truthy: paid providers may be used, whatever is set */
        "x-force-paid-providers"?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json":
            | {
                /** @constant */
                ok: true;
                /** @constant */
                picked: true;
                task: components["schemas"]["TaskListItem"];
              }
            | {
                /** @constant */
                ok: false;
                /** @constant */
                picked: false;
                reason: string;
              };
        };
      };
      401: components["responses"]["Unauthorized"];
      /** @description Not allowed. */
      403: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "Forbidden"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      /** @description Not there. */
      404: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "Task not found"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  executeTask: {
    parameters: {
      query?: {
        max_cost_usd?: number;
        estimated_cost_usd?: number;
        cost_slack_ratio?: number;
        force_paid_providers?: string;
        force_paid_provider?: string;
        force_allow_paid_providers?: string;
        allow_paid_providers?: string;
        allow_paid_provider?: string;
      };
      header?: {
        /** @description AGENT_EXECUTE_TOKEN, where it is set */
        "x-agent-execute-token"?: string;
        /** @description Truthy: paid providers may be used, whatever is set */
        "x-force-paid-providers"?: string;
      };
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            /** @constant */
            ok: true;
            task_id: string;
          };
        };
      };
      401: components["responses"]["Unauthorized"];
      /** @description Not allowed. */
      403: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "Forbidden"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      /** @description Not there. */
      404: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "Task not found"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  getQueue: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Queue"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  pauseQueue: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "task_type": "heal",
         *       "reason": "the suite is red"
         *     }
         */
        "application/json": {
          /** @constant */
          all?: true;
          task_type?: components["schemas"]["TaskType"];
          provider?: string;
          reason?: string;
        };
      };
    };
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Queue"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      /** @description Not there. */
      404: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "There is no provider \"codx\". Name one of: codex, simulated"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  resumeQueue: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "task_type": "heal"
         *     }
         */
        "application/json": {
          /** @constant */
          all?: true;
          task_type?: components["schemas"]["TaskType"];
          provider?: string;
        };
      };
    };
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Queue"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  cancelTasks: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "status": "pending",
         *       "task_type": "heal"
         *     }
         */
        "application/json": {
          status?: components["schemas"]["TaskStatus"];
          task_type?: components["schemas"]["TaskType"];
          backlog?: string;
          claimed_by?: string;
          /** Format: date-time */
          created_after?: string;
          /** Format: date-time */
          created_before?: string;
          /** @default true */
          dry_run?: boolean;
          /** @default 100 */
          limit?: number;
          cursor?: string;
          reason?: string;
        };
      };
    };
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["BulkChange"];
        };
      };
      /** @description Asked for in a way that cannot be. */
      400: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "The cursor does not belong to this call"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  retryTasks: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "status": "failed",
         *       "created_after": "2026-01-01T00:00:00Z"
         *     }
         */
        "application/json": {
          status?: components["schemas"]["TaskStatus"];
          task_type?: components["schemas"]["TaskType"];
          backlog?: string;
          claimed_by?: string;
          /** Format: date-time */
          created_after?: string;
          /** Format: date-time */
          created_before?: string;
          /** @default true */
          dry_run?: boolean;
          /** @default 100 */
          limit?: number;
          cursor?: string;
        };
      };
    };
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["BulkChange"];
        };
      };
      /** @description Asked for in a way that cannot be. */
      400: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "The cursor does not belong to this call"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  listTasks: {
    parameters: {
      query?: {
        status?: components["schemas"]["TaskStatus"];
        task_type?: components["schemas"]["TaskType"];
        /** @description Rows of an answer, at most */
        limit?: number;
        /** @description Rows passed over; further on a list goes by cursor at less cost */
        offset?: number;
        /** @description next_cursor of the page before; of the same filters */
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            tasks: components["schemas"]["TaskListItem"][];
            total: number;
            /** @description Null on the last page */
            next_cursor: string | null;
          };
        };
      };
      /** @description Asked for in a way that cannot be. */
      400: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "The cursor does not belong to this list. Start again without a cursor."
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  createTask: {
    parameters: {
      query?: never;
      header?: {
        /** @description The same key and body within a day is the same task */
        "idempotency-key"?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "direction": "Give /api/health a field for the commit it was built from",
         *       "task_type": "impl"
         *     }
         */
        "application/json": components["schemas"]["TaskCreate"];
      };
    };
    responses: {
      /** @description Made. */
      201: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Task"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      /** @description Not as things stand; nothing was changed. */
      409: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "This Idempotency-Key was used with another body. Send the same body, or a new key."
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  listAttention: {
    parameters: {
      query?: {
        /** @description Rows of an answer, at most */
        limit?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            tasks: {
              id: string;
              direction: string;
              task_type: components["schemas"]["TaskType"];
              status: components["schemas"]["TaskStatus"];
              /** @description What it asks for, or last ran on */
              model: string;
              progress_pct: number | null;
              current_step: string | null;
              decision_prompt: string | null;
              decision: string | null;
              target_state: string | null;
              success_evidence: string[] | null;
              abort_evidence: string[] | null;
              observation_window_sec: number | null;
              /** @description Who has it, or had it last */
              claimed_by: string | null;
              claimed_at: string | null;
              /** Format: date-time */
              created_at: string;
              updated_at: string | null;
              started_at: string | null;
              item: components["schemas"]["ItemRef"] | null;
              /** @description Attempts on it so far */
              att: number;
              /** @description 0 to 99, higher first */
              priority: number | null;
              /** @description Parked until then */
              retry_not_before: string | null;
              /** @description Why it is parked */
              wait_reason: string | null;
              output: string | null;
            }[];
            total: number;
          };
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  countTasks: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            total: number;
            by_status: {
              [key: string]: number;
            };
          };
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  upsertActiveTask: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "session_key": "chat-42",
         *       "direction": "Answer in the chat",
         *       "worker_id": "my-runner"
         *     }
         */
        "application/json": components["schemas"]["UpsertActive"];
      };
    };
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            created: boolean;
            task: components["schemas"]["Task"];
          };
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      /** @description Not as things stand; nothing was changed. */
      409: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "Task already claimed by another worker"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  getTask: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Task"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      /** @description Not there. */
      404: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "Task not found"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  updateTask: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "status": "running",
         *       "worker_id": "my-runner"
         *     }
         */
        "application/json": components["schemas"]["TaskUpdate"];
      };
    };
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Task"];
        };
      };
      /** @description Asked for in a way that cannot be. */
      400: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "At least one field required"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      /** @description Not there. */
      404: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "Task not found"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      /** @description Not as things stand; nothing was changed. */
      409: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "Task already claimed by another worker"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  getTaskLog: {
    parameters: {
      query?: {
        /** @description Bytes of the whole log to pass over */
        offset?: number;
        /** @description next_cursor of the answer before; offset then stands only for what has no chunks */
        cursor?: string;
      };
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            task_id: string;
            log: string;
            command: string;
            output: string | null;
            /** @description There is more than this answer holds */
            truncated: boolean;
            next_offset: number;
            /** @description Where to go on, at less cost than by the offset */
            next_cursor: string | null;
          };
        };
      };
      /** @description Asked for in a way that cannot be. */
      400: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "The cursor is not one of a log. Read it from offset 0."
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      /** @description Not there. */
      404: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "Task log not found"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  listAttempts: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            attempts: components["schemas"]["Attempt"][];
            total: number;
          };
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      /** @description Not there. */
      404: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "Task not found"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  cancelTask: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: {
      content: {
        /**
         * @example {
         *       "reason": "no longer wanted"
         *     }
         */
        "application/json": {
          reason?: string;
        };
      };
    };
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Task"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      /** @description Not there. */
      404: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "Task not found"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      /** @description Not as things stand; nothing was changed. */
      409: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "A completed task cannot become cancelled"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  retryTask: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Task"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      /** @description Not there. */
      404: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "Task not found"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      /** @description Not as things stand; nothing was changed. */
      409: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "Only failed and cancelled tasks are retried; this one is running"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  releaseTask: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Task"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      /** @description Not there. */
      404: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "Task not found"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      /** @description Not as things stand; nothing was changed. */
      409: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "Nobody holds the task: it is pending"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  decideTask: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "decision": "Use the second option"
         *     }
         */
        "application/json": {
          decision: string;
        };
      };
    };
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Task"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      /** @description Not there. */
      404: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "Task not found"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      /** @description Not as things stand; nothing was changed. */
      409: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "The task asks nothing: it is running"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  claimRun: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "task_id": "task_0123456789abcdef",
         *       "run_id": "run_0123456789ab",
         *       "worker_id": "my-runner"
         *     }
         */
        "application/json": {
          task_id: string;
          run_id: string;
          worker_id: string;
          /** @default 120 */
          lease_seconds?: number;
          /** @default 1 */
          attempt?: number;
          branch?: string;
          repo_path?: string;
          metadata?: {
            [key: string]: unknown;
          };
        };
      };
    };
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["RunState"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  renewRun: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "task_id": "task_0123456789abcdef",
         *       "run_id": "run_0123456789ab",
         *       "worker_id": "my-runner"
         *     }
         */
        "application/json": {
          task_id: string;
          run_id: string;
          worker_id: string;
          /** @default 120 */
          lease_seconds?: number;
        };
      };
    };
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["RunState"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  updateRun: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "task_id": "task_0123456789abcdef",
         *       "run_id": "run_0123456789ab",
         *       "worker_id": "my-runner",
         *       "patch": {
         *         "status": "completed"
         *       }
         *     }
         */
        "application/json": {
          task_id: string;
          run_id: string;
          worker_id: string;
          /** @default {} */
          patch?: {
            [key: string]: unknown;
          };
          lease_seconds?: number;
          /** @default true */
          require_owner?: boolean;
        };
      };
    };
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["RunState"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  getRun: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["RunState"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      /** @description Not there. */
      404: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "Run state not found"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  sendHeartbeat: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "runner_id": "my-runner",
         *       "status": "running"
         *     }
         */
        "application/json": {
          runner_id: string;
          /** @default idle */
          status?: string;
          /** @default 90 */
          lease_seconds?: number;
          /** @default  */
          host?: string;
          pid?: number;
          /** @default  */
          version?: string;
          /** @default  */
          active_task_id?: string;
          /** @default  */
          active_run_id?: string;
          /** @default  */
          last_error?: string;
          capabilities?: {
            [key: string]: unknown;
          };
          metadata?: {
            [key: string]: unknown;
          };
        };
      };
    };
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Runner"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  listRunners: {
    parameters: {
      query?: {
        include_stale?: boolean;
        limit?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            runners: components["schemas"]["Runner"][];
            total: number;
          };
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  getRoute: {
    parameters: {
      query: {
        task_type: components["schemas"]["TaskType"];
        executor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Route"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  checkBacklog: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "text": "1. Say hello {#hello}\n"
         *     }
         */
        "application/json": {
          text: string;
        };
      };
    };
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            ok: boolean;
            problems: components["schemas"]["Problem"][];
          };
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  pushBacklog: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "text": "1. Say hello {#hello}\n",
         *       "dry_run": true
         *     }
         */
        "application/json": {
          text: string;
          /**
           * @default product
           * @enum {string}
           */
          kind?: "product" | "meta";
          /** @default false */
          dry_run?: boolean;
        };
      };
    };
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Pushed"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  listBacklogs: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            backlogs: {
              id: string;
              branch: string;
              /** Format: date-time */
              pushed_at: string;
              started_product: number;
              started_meta: number;
            }[];
            total: number;
          };
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  listItems: {
    parameters: {
      query?: {
        state?: components["schemas"]["ItemState"];
      };
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            items: components["schemas"]["Item"][];
            total: number;
          };
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      /** @description Not there. */
      404: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "Backlog not found"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  retryItem: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
        item: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Item"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      /** @description Not there. */
      404: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "Item not found"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      /** @description Not as things stand; nothing was changed. */
      409: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "The item is queued; only abandoned ones and those with a cancelled task are retried"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  listProviders: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            providers: components["schemas"]["Provider"][];
            total: number;
            /** @description Those that are set, for all paid providers together; null: they cannot be read now */
            limits: components["schemas"]["PaidLimit"][] | null;
            /** @description The user's files about providers; null: this host reads none */
            config: components["schemas"]["ConfigFile"][] | null;
          };
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  testProvider: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        name: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["ProviderTest"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      /** @description Not there. */
      404: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "There is no provider \"codx\". Name one of: codex, simulated"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  listWorkers: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            workers: components["schemas"]["Worker"][];
            total: number;
          };
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  cleanUp: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: {
      content: {
        /**
         * @example {
         *       "dry_run": true
         *     }
         */
        "application/json": {
          /** @default false */
          dry_run?: boolean;
          /** @default 7 */
          keep_days?: number;
        };
      };
    };
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Cleaned"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      /** @description Not there. */
      404: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "detail": "This host works on no repository"
           *     }
           */
          "application/json": components["schemas"]["Refusal"];
        };
      };
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  getPipelineStatus: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["PipelineStatus"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  getMetrics: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Metrics"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  getUsage: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["AgentUsage"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  getVisibility: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Visibility"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  getIntegration: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Integration"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  getEffectiveness: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Effectiveness"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  getStatusReport: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["StatusReport"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  getMonitorIssues: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["MonitorIssues"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  getFatalIssues: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["FatalIssues"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  getEndpointsSummary: {
    parameters: {
      query?: {
        seconds?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["EndpointsSummary"];
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  getPublicDeployContract: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            /** @constant */
            result: "public_contract_passed";
          };
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  runExerciser: {
    parameters: {
      query?: {
        cycles?: number;
        max_endpoints?: number;
        delay_ms?: number;
        timeout_seconds?: number;
        runtime_window_seconds?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            /** @constant */
            result: "runtime_get_endpoint_exerciser_completed";
            /** Format: date-time */
            generated_at: string;
            config: {
              [key: string]: number;
            };
            coverage: {
              before_with_usage_events: number;
              after_with_usage_events: number;
              delta_with_usage_events: number;
              before_total_endpoints: number;
              after_total_endpoints: number;
            };
            summary: {
              discovered_get_endpoints: number;
              total_calls: number;
              status_counts: {
                [key: string]: number;
              };
              successful_calls: number;
              failed_calls: number;
            };
            calls: unknown[];
          };
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      413: components["responses"]["TooLarge"];
      415: components["responses"]["NotJson"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  getUsageVerification: {
    parameters: {
      query?: {
        public_api_base?: string;
        runtime_window_seconds?: number;
        timeout_seconds?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            runtime_window_seconds: number;
            public_api_base: string;
            pass_contract: boolean;
            error: string | null;
            internal_endpoint_count: number;
            public_endpoint_count: number;
            overlap_count: number;
            internal_only_endpoints: unknown[];
            public_only_endpoints: unknown[];
            missing_public_records: unknown[];
          };
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  getSubscriptionEstimate: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            /** Format: date-time */
            generated_at: string;
            plans: unknown[];
            detected_subscriptions: number;
            estimated_current_monthly_cost_usd: number;
            estimated_next_monthly_cost_usd: number;
            estimated_monthly_upgrade_delta_usd: number;
          };
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  listExternalTools: {
    parameters: {
      query?: {
        limit?: number;
        provider?: string;
        tool_name?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            count: number;
            events: unknown[];
          };
        };
      };
      401: components["responses"]["Unauthorized"];
      403: components["responses"]["Forbidden"];
      422: components["responses"]["NotValid"];
      500: components["responses"]["Internal"];
      503: components["responses"]["Unavailable"];
    };
  };
  getHealth: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            /** @constant */
            status: "ok";
            version: string;
            /** Format: date-time */
            timestamp: string;
            /** Format: date-time */
            started_at: string;
            uptime_seconds: number;
            uptime_human: string;
          };
        };
      };
      403: components["responses"]["Forbidden"];
      500: components["responses"]["Internal"];
    };
  };
  getReady: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            /** @constant */
            status: "ready";
            version: string;
            /** Format: date-time */
            timestamp: string;
            /** Format: date-time */
            started_at: string;
            uptime_seconds: number;
            uptime_human: string;
          };
        };
      };
      403: components["responses"]["Forbidden"];
      500: components["responses"]["Internal"];
      /** @description Not now. */
      503: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          "x-error-code": components["headers"]["ErrorCode"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["NotReady"];
        };
      };
    };
  };
  getVersion: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Done. */
      200: {
        headers: {
          "x-request-id": components["headers"]["RequestId"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            version: string;
          };
        };
      };
      403: components["responses"]["Forbidden"];
      500: components["responses"]["Internal"];
    };
  };
}
