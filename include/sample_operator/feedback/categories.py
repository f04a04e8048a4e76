"""The sample's case categories, and what a case of each is usually about."""

from __future__ import annotations

# code | kind | issue | English | Chinese | weight within its kind
LINES = """
CM01|commendation|staff_attitude|Courteous and helpful staff|員工有禮及樂於助人|72
CM02|commendation|other|Efficient service|服務快捷|20
CM03|commendation|redelivery|Extra effort in delivery|派遞時格外盡力|5
CM04|commendation|other|Good arrangement|安排妥善|3
CP01|complaint|staff_attitude|Attitude of staff|員工態度|24
CP02|complaint|misdelivery|Mail delivered to a wrong address|錯派郵件|15
CP03|complaint|delay|Delay of mail|郵件延誤|12
CP04|complaint|missed_card|No attempt made, card left|未有嘗試派遞便留下通知卡|10
CP05|complaint|counter_waiting|Waiting time at the counter|櫃位輪候時間|7
CP06|complaint|damage|Damage to mail|郵件損毀|5
CP07|complaint|redelivery|Redelivery or redirection|重派或改寄|5
CP08|complaint|wrong_advice|Wrong advice|資料有誤|4
CP09|complaint|proof_of_delivery|Proof of delivery|派遞證明|3
CP10|complaint|wrong_return|Wrong return or surcharge|錯誤退件或徵收附加費|3
CP11|complaint|charges|Postage and charges|郵費及收費|2
CP12|complaint|facility|Facilities of a post office|郵局設施|2
CP13|complaint|hotline_wait|Waiting for the hotline|熱線輪候|2
CP14|complaint|website|Website or app|網站或應用程式|2
CP15|complaint|complaint_handling|Handling of an earlier complaint|處理投訴的手法|2
CP99|complaint|other|Other complaint|其他投訴|2
SG01|suggestion|facility|Facilities and opening hours|設施及辦公時間|30
SG02|suggestion|website|Electronic services|電子服務|25
SG03|suggestion|counter_waiting|Queueing at the counter|櫃位排隊安排|20
SG04|suggestion|charges|Postage and products|郵費及產品|15
SG99|suggestion|other|Other suggestion|其他建議|10
EN01|enquiry|delay|Where a mail item is|查詢郵件下落|34
EN02|enquiry|charges|Postage and charges|郵費及收費|20
EN03|enquiry|missed_card|Collection of a mail item|領取郵件|14
EN04|enquiry|redelivery|Redirection of mail|改寄郵件|10
EN05|enquiry|proof_of_delivery|Registered mail and proof of delivery|掛號郵件及派遞證明|8
EN06|enquiry|website|Electronic services|電子服務|6
EN99|enquiry|other|Other enquiry|其他查詢|8
LM01|lost_mail_claim|loss|Loss of a mail item|郵件遺失|82
LM02|lost_mail_claim|part_loss|Loss of contents|郵件內容缺失|18
"""

SERVICES_OF_ISSUE = {
    "staff_attitude": {"counter": 55, "delivery": 38, "hotline": 7},
    "counter_waiting": {"counter": 1},
    "facility": {"counter": 90, "other": 10},
    "hotline_wait": {"hotline": 1},
    "website": {"online": 90, "philately": 10},
    "charges": {"counter": 70, "agency": 15, "philately": 5, "other": 10},
    "wrong_advice": {"counter": 60, "hotline": 40},
    "delay": {"delivery": 45, "mail_processing": 55},
    "damage": {"mail_processing": 70, "delivery": 30},
    "loss": {"mail_processing": 50, "delivery": 50},
    "part_loss": {"mail_processing": 80, "delivery": 20},
    "complaint_handling": {"other": 60, "hotline": 40},
    "other": {"other": 40, "counter": 25, "philately": 15, "agency": 10, "delivery": 10},
}
DELIVERY_ONLY = {"delivery": 1}


def rows() -> list[tuple[str, str, str, str, str, int]]:
    """Every category: code, kind, issue, name in English, name in Chinese, weight within its kind."""
    found = []
    for line in LINES.strip().splitlines():
        code, kind, issue, name_en, name_zh, weight = line.split("|")
        found.append((code, kind, issue, name_en, name_zh, int(weight)))
    return found


def by_kind() -> dict[str, dict[str, int]]:
    """Kind to its categories' codes and weights."""
    kinds: dict[str, dict[str, int]] = {}
    for code, kind, _, _, _, weight in rows():
        kinds.setdefault(kind, {})[code] = weight
    return kinds


def services_by_category() -> dict[str, dict[str, int]]:
    """Category code to the services that such cases are about, with weights."""
    return {code: SERVICES_OF_ISSUE.get(issue, DELIVERY_ONLY) for code, _, issue, *_ in rows()}
