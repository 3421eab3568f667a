import assert from "node:assert/strict";
import { checkVersions, type DeployedVersion, refuseVersionChange } from "../../../components/airflow/airflowVersion";
import { paths } from "./samples";

const at = (airflowVersion: string, paused = false): DeployedVersion => ({ airflowVersion, paused });

describe("Airflow's version", () => {
    it("is one that the chart runs", () => {
        for (const version of [undefined, "2.11.0", "2.11.3", "3.0.0", "3.2.2", "3.3.1"]) {
            assert.deepEqual(checkVersions(version, undefined), [], version);
        }
        for (const version of ["2.10.5", "2.11", "3", "3.4.0", "latest", "v3.2.2", "3.2.2-python3.12"]) {
            assert.deepEqual(paths(checkVersions(version, undefined)), ["airflowVersion"], version);
        }
    });

    it("comes with the chart that was checked", () => {
        assert.deepEqual(checkVersions(undefined, "1.22.0"), []);
        assert.deepEqual(paths(checkVersions(undefined, "1.19.0")), ["chart.version"]);
        assert.deepEqual(paths(checkVersions("1.10.15", "2.0.0")), ["airflowVersion", "chart.version"]);
    });

    it("may rise within a major", () => {
        assert.equal(refuseVersionChange(at("3.1.0"), at("3.2.2"), undefined), undefined);
        assert.equal(refuseVersionChange(at("2.11.0"), at("2.11.2"), undefined), undefined);
        assert.equal(refuseVersionChange(at("3.2.2"), at("3.2.2", true), undefined), undefined);
    });

    it("jumps from 2 to 3 only standing still", () => {
        assert.match(refuseVersionChange(at("2.11.0"), at("3.2.2"), "2.11.0")!, /set paused to true/);
        assert.match(refuseVersionChange(at("2.11.0"), at("3.2.2", true), "2.11.0")!, /set paused to true/);
        assert.match(refuseVersionChange(at("2.11.0", true), at("3.2.2"), "2.11.0")!, /paused still true/);
    });

    it("jumps from 2 to 3 only when that is meant", () => {
        assert.match(
            refuseVersionChange(at("2.11.0", true), at("3.2.2", true), undefined)!,
            /acknowledgeChangeFrom to "2\.11\.0"/,
        );
        assert.match(refuseVersionChange(at("2.11.0", true), at("3.2.2", true), "2.11.1")!, /acknowledgeChangeFrom/);
        assert.equal(refuseVersionChange(at("2.11.0", true), at("3.2.2", true), "2.11.0"), undefined);
    });

    it("falls only when the database was taken back before", () => {
        assert.match(refuseVersionChange(at("3.2.2"), at("3.1.0"), undefined)!, /db downgrade/);
        assert.match(refuseVersionChange(at("3.2.10"), at("3.2.9"), undefined)!, /db downgrade/);
        assert.equal(refuseVersionChange(at("3.2.2"), at("3.1.0"), "3.2.2"), undefined);
    });
});
