/**
 * The real IncrementalCooperativeAssignor is given the same rounds, and must decide the same. Where ours means to be
 * better, this says when; a history ends there, for the two remember different things from then on. Needs a JDK.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { createRandom, isFull, seedNote } from '../../../test/chaos/seed.ts';
import type { Random } from '../../../test/chaos/seed.ts';
import { KAFKA_VERSION } from '../../../test/services/kafka-config.ts';
import { javaCommand, mavenJars } from '../../../test/services/maven.ts';
import { createSimulatedGroup, keysOf, workOfSizes } from '../test/simulated-group.ts';
import type { Decision, SimulatedGroup } from '../test/simulated-group.ts';
import type { Shares } from './incremental-assignor.ts';
import { isIdle } from './work.ts';

const histories = isFull ? 5_000 : 200;

/** Answers one line with one line: by member what is assigned and revoked, and the delay. What is not public is called by reflection. */
const program = `
import com.fasterxml.jackson.databind.*; import com.fasterxml.jackson.databind.node.*;
import java.io.*; import java.lang.reflect.*; import java.util.*;
import org.apache.kafka.common.utils.*; import org.apache.kafka.connect.runtime.distributed.*;
import org.apache.kafka.connect.storage.ClusterConfigState; import org.apache.kafka.connect.util.ConnectorTaskId;
public class Assignor {
  static final ObjectMapper JSON = new ObjectMapper();
  static final long[] now = {0};
  static final Time TIME = (Time) Proxy.newProxyInstance(Time.class.getClassLoader(), new Class<?>[] {Time.class},
      (self, method, args) -> { if (method.getName().equals("milliseconds")) return now[0]; throw new UnsupportedOperationException(method.getName()); });
  public static void main(String[] none) throws Exception {
    Class<?> type = IncrementalCooperativeAssignor.class;
    Method share = null;
    for (Method each : type.getDeclaredMethods())
      if (each.getName().equals("performTaskAssignment") && each.getParameterCount() == 4) share = each;
    share.setAccessible(true);
    Field delay = type.getDeclaredField("delay");
    delay.setAccessible(true);
    Map<String, IncrementalCooperativeAssignor> leaders = new HashMap<>();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = in.readLine()) != null; ) {
      JsonNode round = JSON.readTree(line);
      int maxDelay = round.get("maxDelayMs").asInt();
      IncrementalCooperativeAssignor assignor = leaders.computeIfAbsent(round.get("leader").asText(),
          id -> new IncrementalCooperativeAssignor(new LogContext(), TIME, maxDelay));
      now[0] = round.get("nowMs").asLong();
      Map<String, Object> members = new HashMap<>();
      round.get("members").fields().forEachRemaining(each -> members.put(each.getKey(), work(each.getValue())));
      Object shares = share.invoke(assignor, configs(round.get("configured")), round.get("completed").asInt(), round.get("generation").asInt(), members);
      ObjectNode answer = JSON.createObjectNode().put("delayMs", delay.getInt(assignor));
      ObjectNode told = answer.putObject("told");
      for (String id : members.keySet()) {
        ObjectNode one = told.putObject(id);
        for (String kind : List.of("Connectors", "Tasks")) {
          one.set("assigned" + kind, names(call(shares, "newlyAssigned" + kind, id)));
          one.set("revoked" + kind, names(call(shares, "newlyRevoked" + kind, id)));
          one.set("runs" + kind, names((Collection<?>) ((Map<?, ?>) call(shares, "allAssigned" + kind)).get(id)));
        }
      }
      System.out.println(answer);
    }
  }
  static Object work(JsonNode work) {
    WorkerCoordinator.ConnectorsAndTasks.Builder builder = new WorkerCoordinator.ConnectorsAndTasks.Builder();
    return builder.with(connectors(work), tasks(work)).build();
  }
  static List<String> connectors(JsonNode work) {
    List<String> all = new ArrayList<>();
    work.get("connectors").forEach(name -> all.add(name.asText()));
    return all;
  }
  static List<ConnectorTaskId> tasks(JsonNode work) {
    List<ConnectorTaskId> all = new ArrayList<>();
    work.get("tasks").forEach(id -> all.add(new ConnectorTaskId(id.get("connector").asText(), id.get("task").asInt())));
    return all;
  }
  static ClusterConfigState configs(JsonNode work) {
    Map<String, Integer> counts = new HashMap<>(); Map<String, Map<String, String>> configs = new HashMap<>();
    Map<ConnectorTaskId, Map<String, String>> taskConfigs = new HashMap<>();
    for (String name : connectors(work)) { configs.put(name, Map.of()); counts.put(name, 0); }
    for (ConnectorTaskId id : tasks(work)) { taskConfigs.put(id, Map.of()); counts.merge(id.connector(), 1, Integer::sum); }
    return new ClusterConfigState(0, null, counts, configs, new HashMap<>(), taskConfigs, new HashMap<>(), new HashMap<>(), new HashMap<>(), new HashSet<>(), new HashSet<>());
  }
  static Object call(Object target, String name, Object... args) throws Exception {
    Method method = args.length == 0 ? target.getClass().getDeclaredMethod(name) : target.getClass().getDeclaredMethod(name, String.class);
    method.setAccessible(true);
    return method.invoke(target, args);
  }
  static ArrayNode names(Object items) {
    TreeSet<String> sorted = new TreeSet<>();
    for (Object item : (Collection<?>) items) sorted.add(item.toString());
    ArrayNode all = JSON.createArrayNode();
    sorted.forEach(all::add);
    return all;
  }
}`;

let folder: string;
let ask: (line: string) => Promise<unknown>;
let stop: () => void = () => {};

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'connect-assignor-'));
  const source = join(folder, 'Assignor.java');
  await writeFile(source, program);
  const java = await javaCommand();
  const jars = await mavenJars(`connect-runtime-${KAFKA_VERSION}`, [`org.apache.kafka:connect-runtime:${KAFKA_VERSION}`]);
  const child = spawn(java, ['-XX:TieredStopAtLevel=1', '-cp', join(jars, '*'), source], { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  const waiting: PromiseWithResolvers<unknown>[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line)));
  child.once('close', () => waiting.forEach(({ reject }) => reject(new Error(`Java ended: ${complaints}`))));
  ask = (line) => {
    const answer = Promise.withResolvers<unknown>();
    waiting.push(answer);
    child.stdin.write(`${line}\n`);
    return answer.promise;
  };
  stop = () => void child.kill();
});
after(async () => {
  stop();
  await rm(folder, { recursive: true, force: true });
});

function asConnectSaysIt({ told, runs, delayMs }: Shares): unknown {
  const each = [...told].map(([id, { assigned, revoked }]) => {
    const all = runs.get(id)!;
    const names = { assignedConnectors: assigned.connectors, revokedConnectors: revoked.connectors, runsConnectors: all.connectors };
    const tasks = { assignedTasks: assigned.tasks, revokedTasks: revoked.tasks, runsTasks: all.tasks };
    const lists = {
      ...names,
      ...Object.fromEntries(Object.entries(tasks).map(([key, ids]) => [key, keysOf({ connectors: [], tasks: ids })])),
    };
    return [id, Object.fromEntries(Object.entries(lists).map(([key, list]) => [key, list.toSorted()]))];
  });
  return { told: Object.fromEntries(each), delayMs };
}

async function connectsAnswer({ leader, round, nowMs }: Decision, history: string, maxDelayMs: number): Promise<Answer> {
  const answer = await ask(
    JSON.stringify({
      ...{ leader: `${history} ${leader}`, maxDelayMs, nowMs, configured: round.configured },
      ...{ completed: round.lastCompletedGeneration, generation: round.generation, members: Object.fromEntries(round.members) },
    }),
  );
  return answer as Answer;
}

interface Answer {
  readonly told: Readonly<Record<string, { readonly revokedConnectors: readonly string[]; readonly revokedTasks: readonly string[] }>>;
  readonly delayMs: number;
}

const nothingLost = 'nothing is lost, nothing is waited for';

const somebodyLeft = ({ round }: Decision, previous: Decision | undefined): boolean =>
  [...(previous?.round.members.keys() ?? [])].some((id) => !round.members.has(id));

/** Where Connect does worse, and ours means to differ. */
function betterThanConnect(decision: Decision, previous: Decision | undefined, answer: Answer, maxDelayMs: number): string | undefined {
  const { round, shares } = decision;
  const wanted = new Set(keysOf(round.configured));
  const works = [...round.members.values()];
  if (works.some((work) => keysOf(work).some((key) => !wanted.has(key)))) return 'deleted work is stopped though the leader is new';
  const takenByConnect = Object.values(answer.told).flatMap((told) => [...told.revokedConnectors, ...told.revokedTasks]).length;
  const takenByUs = [...shares.told.values()].flatMap(({ revoked }) => keysOf(revoked)).length;
  if (takenByConnect > takenByUs && delayIsOver(previous)) return 'a returning worker is given no more than its share';
  if (somebodyLeft(decision, previous) && answer.delayMs === maxDelayMs && shares.delayMs < maxDelayMs) return nothingLost;
  return undefined;
}

const delayIsOver = (previous: Decision | undefined): boolean => previous !== undefined && previous.shares.delayMs > 0;

function disturb(group: SimulatedGroup, random: Random, asleep: (() => void)[], maxDelayMs: number): void {
  const id = [...group.members.keys()][random.between(0, group.members.size - 1)];
  const what = random.between(0, 9);
  // Later names would not stand in order in a hash map of 16.
  if (what <= 2 && group.joined() < 15) group.join();
  else if (what === 3 && id !== undefined) group.crash(id);
  else if (what === 4 && id !== undefined) asleep.push(group.freeze(id));
  else if (what === 5 && group.joined() < 15) asleep.shift()?.();
  else if (what === 6) group.configure(workOfSizes(Array.from({ length: random.between(0, 8) }, () => random.between(0, 7))));
  else if (what === 7) group.passTime(random.between(1, maxDelayMs + 100));
  else if (what === 8) group.round('everything');
  else if (id !== undefined) group.round({ member: id });
}

test('round for round, it decides as Connect does, but where it is better', async (t) => {
  const better = new Map<string, number>();
  let same = 0;
  for (let index = 0; index < histories; index++) {
    const random = createRandom(`connect ${index}`);
    const maxDelayMs = [0, 1, 30, 1_000, 300_000][random.between(0, 4)]!;
    const decisions: Decision[] = [];
    const group = createSimulatedGroup({
      maxDelayMs,
      onRound: (decision) => decisions.push(decision),
    });
    const asleep: (() => void)[] = [];
    for (let event = 0; event < 30; event++) {
      disturb(group, random, asleep, maxDelayMs);
      if (random.next() < 0.5) group.round();
      if (random.next() < 0.2) group.settle();
    }
    for (const [at, decision] of decisions.entries()) {
      const answer = await connectsAnswer(decision, `history ${index}`, maxDelayMs);
      const ours = asConnectSaysIt(decision.shares);
      if (isDeepStrictEqual(ours, answer)) {
        same++;
        // The pause between revocations can be as long as the delay that Connect makes of it: what each remembers differs all the same.
        const { unassigned, delayMs } = decision.shares;
        if (delayMs > 0 && delayMs === maxDelayMs && isIdle(unassigned) && somebodyLeft(decision, decisions[at - 1])) break;
        continue;
      }
      const reason = betterThanConnect(decision, decisions[at - 1], answer, maxDelayMs);
      if (reason === undefined) assert.deepEqual(ours, answer, `history ${index}, round ${at}, ${seedNote}`);
      better.set(reason!, (better.get(reason!) ?? 0) + 1);
      break;
    }
  }
  t.diagnostic(`${same} rounds the same; better: ${JSON.stringify(Object.fromEntries(better))}`);
  assert.ok(same > histories * 5, `only ${same} rounds were the same`);
});
