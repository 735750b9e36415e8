# What one would write first: parse every record, on two processes.
import gzip, json, sys
from collections import Counter
from multiprocessing import Pool
from pathlib import Path

wanted = set(sys.argv[1].split(","))


def count(path):
    with gzip.open(path) as file:
        records = json.load(file)["Records"]
    return len(records), Counter(record["eventName"] for record in records if record["eventName"] in wanted)


if __name__ == "__main__":
    records, names = 0, Counter()
    with Pool(2) as pool:
        for number, counts in pool.imap_unordered(count, sorted(Path(sys.argv[2]).rglob("*.json.gz"))):
            records += number
            names += counts
    for name, number in names.items():
        print(name, number)
    print("records", records)
