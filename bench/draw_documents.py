"""Draws the documents of tests/fixtures/documents, whose questions are in documents.toml beside them.

    python -m bench.draw_documents FOLDER

Needs Noto Sans CJK and DejaVu (Debian: fonts-noto-cjk, fonts-dejavu). All names, numbers and places are
invented.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.paper import MONO, SERIF, Sheet, in_perspective, turned
from PIL import Image


def receipt_en() -> Image.Image:
    sheet = Sheet(560, 900, font=MONO, size=22)
    sheet.centred("HARBOUR CAFE", size=34)
    sheet.centred("12 Quay Street, Galway")
    sheet.centred("Tel: 091 555 0142")
    sheet.rule()
    sheet.row(["Date: 14/03/2024", "Time: 09:42"], [30, 530], right=[1])
    sheet.row(["Served by: Aoife", "Table 7"], [30, 530], right=[1])
    sheet.rule()
    for cells in (
        ["2", "Flat White", "7.60"],
        ["1", "Earl Grey Tea", "2.90"],
        ["1", "Blueberry Muffin", "3.25"],
        ["3", "Almond Croissant", "10.50"],
        ["1", "Sparkling Water", "2.40"],
    ):
        sheet.row(cells, [30, 80, 530], right=[2])
    sheet.rule()
    sheet.row(["Subtotal", "26.65"], [30, 530], right=[1])
    sheet.row(["VAT 9%", "2.40"], [30, 530], right=[1])
    sheet.row(["TOTAL", "€29.05"], [30, 530], right=[1], size=30)
    sheet.row(["Cash", "40.00"], [30, 530], right=[1])
    sheet.row(["Change", "10.95"], [30, 530], right=[1])
    sheet.space()
    sheet.centred("Receipt No. 004817")
    sheet.centred("Free wifi: harbourguest")
    return sheet.image


def receipt_ko() -> Image.Image:
    sheet = Sheet(560, 860, language="ko", size=24)
    sheet.centred("달빛커피 연남점", size=36)
    sheet.centred("서울시 마포구 연남로 35")
    sheet.centred("전화 02-338-4521")
    sheet.rule()
    sheet.row(["2024-05-18 14:23", "담당: 김민지"], [30, 530], right=[1])
    sheet.row(["상품명", "수량", "금액"], [30, 370, 530], right=[1, 2])
    sheet.rule()
    for cells in (
        ["아메리카노", "2", "9,000"],
        ["카페라떼", "1", "5,000"],
        ["치즈케이크", "1", "6,500"],
        ["녹차", "3", "13,500"],
    ):
        sheet.row(cells, [30, 370, 530], right=[1, 2])
    sheet.rule()
    sheet.row(["공급가액", "30,909"], [30, 530], right=[1])
    sheet.row(["부가세", "3,091"], [30, 530], right=[1])
    sheet.row(["합계", "34,000원"], [30, 530], right=[1], size=30)
    sheet.row(["신용카드", "34,000"], [30, 530], right=[1])
    sheet.row(["승인번호", "30418827"], [30, 530], right=[1])
    sheet.space()
    sheet.centred("영업시간 08:00 - 22:00")
    sheet.centred("매주 화요일 휴무")
    return sheet.image


def invoice() -> Image.Image:
    sheet = Sheet(1240, 1400, size=24)
    sheet.row(["Larkspur Design Ltd", "INVOICE"], [80, 1160], right=[1], size=40)
    sheet.row(["48 Mill Lane, Bristol BS1 6QT", "Invoice No: LD-2024-0187"], [80, 1160], right=[1])
    sheet.row(["accounts@larkspur.example", "Invoice date: 2 April 2024"], [80, 1160], right=[1])
    sheet.row(["VAT No: GB 412 8837 06", "Due date: 2 May 2024"], [80, 1160], right=[1])
    sheet.space(1.5)
    sheet.row(["Bill to:", "Ship to:"], [80, 680])
    sheet.row(["Northwind Traders", "Northwind Warehouse"], [80, 680])
    sheet.row(["Ms Helen Okafor", "Dock 4"], [80, 680])
    sheet.row(["9 Castle Street, Cardiff", "22 Ferry Road, Newport"], [80, 680])
    sheet.space(1.5)
    columns = [80, 700, 920, 1160]
    sheet.row(["Description", "Qty", "Unit price", "Amount"], columns, right=[1, 2, 3])
    sheet.rule()
    for cells in (
        ["Logo design", "1", "850.00", "850.00"],
        ["Business cards (box of 500)", "4", "62.50", "250.00"],
        ["Shop window lettering", "2", "310.00", "620.00"],
        ["Photo editing, per hour", "12", "45.00", "540.00"],
    ):
        sheet.row(cells, columns, right=[1, 2, 3])
    sheet.rule()
    for cells in (["Subtotal", "2,260.00"], ["Discount (5%)", "-113.00"], ["VAT (20%)", "429.40"]):
        sheet.row(cells, [760, 1160], right=[1])
    sheet.row(["Total due", "£2,576.40"], [760, 1160], right=[1], size=30)
    sheet.space(1.5)
    sheet.row(["Payment terms: 30 days net"], [80])
    sheet.row(["Bank: Severn Bank, account 30418872, sort code 20-44-91"], [80])
    sheet.row(["Questions? Call Daniel Price on 0117 496 0352"], [80])
    return sheet.image


def finance() -> Image.Image:
    sheet = Sheet(1200, 760, font=SERIF, size=24)
    sheet.centred("Meridian Group: five-year summary", size=34)
    sheet.centred("(in millions of euros, except employees)", size=20)
    sheet.space()
    columns = [60, 580, 720, 860, 1000, 1140]
    right = [1, 2, 3, 4, 5]
    sheet.row(["", "2019", "2020", "2021", "2022", "2023"], columns, right=right)
    sheet.rule()
    for cells in (
        ["Revenue", "412.6", "388.1", "455.0", "503.7", "561.2"],
        ["Cost of sales", "251.3", "244.9", "280.4", "312.8", "340.5"],
        ["Gross profit", "161.3", "143.2", "174.6", "190.9", "220.7"],
        ["Operating expenses", "98.0", "101.7", "109.5", "117.2", "128.9"],
        ["Operating income", "63.3", "41.5", "65.1", "73.7", "91.8"],
        ["Net income", "44.1", "26.8", "47.9", "52.6", "68.3"],
        ["Dividends per share (€)", "1.20", "0.80", "1.30", "1.45", "1.75"],
        ["Employees", "3,120", "2,980", "3,050", "3,340", "3,610"],
    ):
        sheet.row(cells, columns, right=right)
    return sheet.image


def timetable() -> Image.Image:
    sheet = Sheet(1000, 760, size=24)
    sheet.centred("Departures - Brookfield Station", size=34)
    sheet.space(0.5)
    columns = [50, 200, 460, 640, 780]
    sheet.row(["Time", "Destination", "Train", "Platform", "Arrives"], columns)
    sheet.rule()
    for cells in (
        ["06:15", "Kingsbridge", "IC 204", "3", "07:48"],
        ["06:40", "Marlow", "RE 17", "1", "07:05"],
        ["07:05", "Westport", "IC 311", "5", "09:30"],
        ["07:32", "Ashford", "RB 62", "2", "08:01"],
        ["08:10", "Kingsbridge", "IC 208", "3", "09:43"],
        ["08:55", "Dunmore", "RE 25", "4", "10:12"],
        ["09:20", "Westport", "IC 315", "5", "11:45"],
    ):
        sheet.row(cells, columns)
    sheet.rule()
    sheet.row(["No trains to Ashford on Sundays."], [50])
    sheet.row(["Ticket office open 05:30 - 21:00"], [50])
    sheet.row(["Lost property: 01632 960 771"], [50])
    return sheet.image


def notice_zh() -> Image.Image:
    sheet = Sheet(900, 700, language="zh", size=30)
    sheet.centred("停水通知", size=54)
    sheet.space(0.5)
    for text in (
        "尊敬的各位住户：",
        "因供水管道检修，小区将临时停水。",
        "停水时间：6月12日 9:00 至 17:00",
        "停水范围：3号楼、5号楼、8号楼",
        "联系人：王建国",
        "联系电话：021-6288-4519",
        "请提前储水，不便之处敬请谅解。",
    ):
        sheet.row([text], [60])
    sheet.space(0.5)
    sheet.row(["阳光花园物业管理处", "2024年6月10日"], [60, 840], right=[1])
    return sheet.image


def notice_ja() -> Image.Image:
    sheet = Sheet(900, 760, language="ja", size=30)
    sheet.centred("夏休み料理教室のお知らせ", size=46)
    sheet.space(0.5)
    for cells in (
        ["日時", "7月27日（土）10:00～13:00"],
        ["場所", "みどり市民センター 2階調理室"],
        ["対象", "小学生と保護者"],
        ["定員", "16名（先着順）"],
        ["参加費", "1,200円"],
        ["持ち物", "エプロン、タオル"],
        ["申込締切", "7月19日（金）"],
        ["講師", "佐藤 由美子"],
        ["お問い合わせ", "電話 045-712-3366"],
    ):
        sheet.row(cells, [70, 320])
    sheet.space(0.5)
    sheet.row(["※ 月曜日は休館日です。"], [70])
    return sheet.image


def sign_mixed() -> Image.Image:
    sheet = Sheet(900, 560, language="ko", size=30)
    sheet.centred("한빛미술관  HANBIT MUSEUM", size=44)
    sheet.space(0.5)
    for cells in (
        ["관람시간 Hours", "10:00 - 18:00"],
        ["입장마감 Last entry", "17:30"],
        ["휴관일 Closed", "월요일 Mondays"],
        ["성인 Adult", "12,000원"],
        ["청소년 Youth", "8,000원"],
        ["어린이 Child", "무료 Free"],
        ["문의 Info", "02-541-7000"],
    ):
        sheet.row(cells, [70, 480])
    return sheet.image


DENSE = Path(__file__).parents[1] / "tests" / "fixtures" / "documents" / "dense.txt"


def dense() -> Image.Image:
    """A4 at 200 dpi in 8 pt print: 22 pixels."""
    sheet = Sheet(1654, 1500, font=SERIF, size=22)
    sheet.at = 110
    sheet.centred("Tidewater Boat Club: rules of the workshop", size=30)
    sheet.space()
    font = sheet.font(22)
    for paragraph in DENSE.read_text(encoding="utf-8").splitlines():
        row = ""
        for word in paragraph.split():
            if font.getlength(f"{row} {word}") > 1380:
                sheet.row([row], [130], size=20)
                row = word
            else:
                row = f"{row} {word}".strip()
        sheet.row([row], [130], size=20)
        sheet.space(0.25)
    return sheet.image


def hardware() -> Image.Image:
    sheet = Sheet(600, 760, font=MONO, size=22)
    sheet.centred("BRIGHT HARDWARE", size=34)
    sheet.centred("Unit 5, Oak Retail Park")
    sheet.rule()
    for cells in (
        ["Paint roller set", "18.99"],
        ["Wood screws 4x40", "6.49"],
        ["LED bulb 9W", "4.75"],
        ["Masking tape", "3.20"],
        ["Garden hose 15m", "24.50"],
    ):
        sheet.row(cells, [40, 560], right=[1])
    sheet.rule()
    sheet.row(["5 ITEMS"], [40])
    sheet.row(["TOTAL", "$57.93"], [40, 560], right=[1], size=30)
    sheet.row(["VISA ****4410", "57.93"], [40, 560], right=[1])
    sheet.row(["Cashier: Tomas", "08/22/2023"], [40, 560], right=[1])
    sheet.centred("Returns within 28 days")
    return sheet.image


def menu_ko() -> Image.Image:
    sheet = Sheet(640, 700, language="ko", size=28)
    sheet.centred("할머니 손맛 식당", size=42)
    sheet.space(0.5)
    for cells in (
        ["비빔밥", "9,000원"],
        ["김치찌개", "8,500원"],
        ["불고기", "15,000원"],
        ["냉면", "10,000원"],
        ["해물파전", "13,000원"],
        ["공기밥", "1,000원"],
        ["막걸리", "4,000원"],
    ):
        sheet.row(cells, [60, 580], right=[1])
    sheet.space(0.5)
    sheet.centred("브레이크타임 15:00 - 17:00")
    sheet.centred("예약 031-255-8890")
    return sheet.image


def poster() -> Image.Image:
    sheet = Sheet(900, 1100, size=34)
    sheet.centred("SUMMER JAZZ NIGHT", size=66)
    sheet.space(0.5)
    sheet.centred("The Elena Marsh Quartet", size=44)
    sheet.space(0.5)
    for cells in (
        ["Date:", "Saturday 20 July 2024"],
        ["Doors:", "7:00 pm"],
        ["Start:", "8:15 pm"],
        ["Venue:", "Old Fire Station, Lincoln"],
        ["Tickets:", "£14 (students £9)"],
        ["Booking:", "www.jazznight.example"],
    ):
        sheet.row(cells, [90, 320])
    sheet.space(0.5)
    sheet.centred("Bring a cushion. No pets.")
    return sheet.image


def hotel() -> Image.Image:
    sheet = Sheet(1000, 900, font=SERIF, size=24)
    sheet.centred("SEAVIEW HOTEL", size=40)
    sheet.centred("3 Cliff Road, Whitby")
    sheet.space()
    sheet.row(["Guest: Mr Omar Haddad", "Folio: 88213"], [60, 620])
    sheet.row(["Room: 412", "Guests: 2"], [60, 620])
    sheet.row(["Arrival: 3 June 2024", "Departure: 6 June 2024"], [60, 620])
    sheet.space()
    columns = [60, 240, 940]
    sheet.row(["Date", "Description", "Amount"], columns, right=[2])
    sheet.rule()
    for cells in (
        ["03/06", "Double room", "118.00"],
        ["04/06", "Double room", "118.00"],
        ["04/06", "Breakfast buffet", "29.00"],
        ["05/06", "Double room", "118.00"],
        ["05/06", "Laundry service", "14.50"],
        ["06/06", "Parking garage", "24.00"],
    ):
        sheet.row(cells, columns, right=[2])
    sheet.rule()
    sheet.row(["City tax", "9.00"], [620, 940], right=[1])
    sheet.row(["Balance due", "£430.50"], [620, 940], right=[1], size=30)
    sheet.space()
    sheet.row(["Check-out is at 11 am. We hope to see you again!"], [60])
    return sheet.image


def clinic() -> Image.Image:
    sheet = Sheet(820, 760, language="ko", size=28)
    sheet.centred("햇살소아과의원 진료안내", size=42)
    sheet.space(0.5)
    for cells in (
        ["평일", "09:00 - 18:30"],
        ["토요일", "09:00 - 13:00"],
        ["점심시간", "13:00 - 14:00"],
        ["휴진", "일요일, 공휴일"],
        ["전화", "031-774-2080"],
        ["주소", "경기도 양평군 시민로 88 2층"],
        ["주차", "건물 뒤 2시간 무료"],
    ):
        sheet.row(cells, [70, 300])
    sheet.space(0.5)
    sheet.row(["독감 예방접종은 예약 없이 가능합니다."], [70])
    return sheet.image


def tea_house() -> Image.Image:
    sheet = Sheet(700, 760, language="zh", size=30)
    sheet.centred("老街茶馆 价目表", size=46)
    sheet.space(0.5)
    for cells in (
        ["龙井茶", "48元"],
        ["铁观音", "52元"],
        ["茉莉花茶", "36元"],
        ["普洱茶", "58元"],
        ["绿豆糕", "18元"],
        ["瓜子", "12元"],
    ):
        sheet.row(cells, [80, 620], right=[1])
    sheet.space(0.5)
    sheet.centred("营业时间 10:00-22:00")
    sheet.centred("订座电话 0571-8702-3366")
    return sheet.image


def regions() -> Image.Image:
    sheet = Sheet(900, 1000, language="ko", size=32)
    sheet.centred("지역별 판매량 (대)", size=46)
    sheet.space()
    columns = [70, 420, 620, 820]
    sheet.row(["지역", "1월", "2월", "3월"], columns, right=[1, 2, 3])
    sheet.rule()
    for cells in (
        ["서울", "320", "298", "355"],
        ["부산", "185", "201", "176"],
        ["대구", "97", "104", "121"],
        ["광주", "88", "79", "92"],
        ["제주", "41", "53", "60"],
    ):
        sheet.row(cells, columns, right=[1, 2, 3])
    sheet.rule()
    sheet.row(["합계", "731", "735", "804"], columns, right=[1, 2, 3])
    sheet.space()
    sheet.row(["작성: 영업지원팀 박서준"], [70])
    return sheet.image


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {
        "receipt-en": receipt_en(), "receipt-ko": receipt_ko(), "invoice": invoice(), "finance": finance(),
        "timetable": timetable(), "notice-zh": notice_zh(), "notice-ja": notice_ja(),
        "sign-mixed": sign_mixed(), "hotel": hotel(), "clinic-ko": clinic(), "dense": dense(),
        "menu-ko-90": menu_ko().rotate(90, expand=True),
    }  # fmt: skip
    for name, image in drawn.items():
        image.quantize(8).save(folder / f"{name}.png", optimize=True)
    turned(tea_house(), -5).save(folder / "prices-zh-5.jpg", quality=70)
    in_perspective(regions()).save(folder / "regions-ko-perspective.jpg", quality=60)
    turned(hardware(), 7).save(folder / "hardware-7.jpg", quality=70)
    in_perspective(poster()).save(folder / "poster-perspective.jpg", quality=60)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
