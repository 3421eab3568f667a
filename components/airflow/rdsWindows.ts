import type { Problem } from "../shared/check";

/** When daily backups begin unless the user says otherwise. */
export const BACKUP_WINDOW = "01:00-02:00";
/** When AWS may patch unless the user says otherwise. */
export const MAINTENANCE_WINDOW = "Mon:03:00-Mon:04:00";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** What is wrong with the windows in which RDS backs up and patches, each `undefined` for its default. */
export function windowProblems(backupWindow = BACKUP_WINDOW, maintenanceWindow = MAINTENANCE_WINDOW): Problem[] {
    const time = "([01]\\d|2[0-3]):([0-5]\\d)";
    const day = `(${DAYS.join("|")})`;
    const backup = new RegExp(`^${time}-${time}$`).exec(backupWindow);
    const maintenance = new RegExp(`^${day}:${time}-${day}:${time}$`, "i").exec(maintenanceWindow);
    const problems: Problem[] = [];
    if (!backup) {
        problems.push({ path: "backupWindow", message: `"${backupWindow}" is not hh:mm-hh:mm in UTC` });
    }
    if (!maintenance) {
        problems.push({
            path: "maintenanceWindow",
            message: `"${maintenanceWindow}" is not ddd:hh:mm-ddd:hh:mm in UTC`,
        });
    }
    if (!backup || !maintenance) {
        return problems;
    }
    const minutes = (hour: string, minute: string) => Number(hour) * 60 + Number(minute);
    const from = minutes(backup[1], backup[2]);
    const length = (minutes(backup[3], backup[4]) - from + 1440) % 1440;
    const start = DAYS.indexOf(maintenance[1].toLowerCase()) * 1440 + minutes(maintenance[2], maintenance[3]);
    const end = DAYS.indexOf(maintenance[4].toLowerCase()) * 1440 + minutes(maintenance[5], maintenance[6]);
    const lasting = (end - start + 10080) % 10080;
    if (length < 30 || lasting < 30) {
        problems.push({
            path: "maintenanceWindow",
            message: "backup and maintenance windows last 30 minutes at least",
        });
    }
    // Backups run daily, so a maintenance window of a whole day meets one for certain.
    const sinceBackup = ((start % 1440) - from + 1440) % 1440;
    if (sinceBackup < length || 1440 - sinceBackup < lasting) {
        problems.push({
            path: "maintenanceWindow",
            message: "overlaps the backup window, which RDS refuses; move one of them",
        });
    }
    return problems;
}
